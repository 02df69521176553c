import { type Ran, ran } from './run-program.ts';
import type { Surroundings } from './surroundings.ts';

/** What a client made of it. */
export interface Answer {
  readonly kind: 'done' | 'failed';
  /** What it wrote: the file's text for a read, what it complained of otherwise. */
  readonly text: string;
}

export interface HttpRequest {
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'DELETE' | 'MKCOL' | 'PROPFIND' | 'MOVE';
  readonly token?: string;
  /** For `PUT`: which file to send. */
  readonly file?: string;
  /** Further headers, or others than that of the token. */
  readonly headers?: readonly string[];
}

/** The HTTP status curl got. Headers go in by standard input, so that no token is seen in the list of processes. */
export async function curl(url: string, request: HttpRequest, told: Surroundings): Promise<number> {
  const { method = 'GET', token, file, headers = [] } = request;
  const what = file !== undefined ? ['--upload-file', file] : method === 'HEAD' ? ['--head'] : ['--request', method];
  const command = ['curl', '--silent', '--cacert', told.caFile, '--max-time', '10', '--path-as-is'];
  const all = token === undefined ? headers : [`Authorization: Bearer ${token}`, ...headers];
  const { status, stdout, stderr } = await ran(
    [...command, '--output', '/dev/null', '--write-out', '%{http_code}', ...what, '--config', '-', url],
    {},
    all.map((header) => `header = "${header}"\n`).join(''),
  );
  if (status !== 0) throw new Error(`curl ${url} ended with ${status}: ${stderr}`);
  return Number(stdout);
}

/** `davix-get` has no other way to take a token than its arguments. */
export async function davixGet(url: string, token: string, told: Surroundings): Promise<Answer> {
  const header = ['--header', `Authorization: Bearer ${token}`];
  return answerOf(await ran(['davix-get', '--capath', told.caDirectory, ...header, url]));
}

/** Reads with the root protocol over TLS, giving the token by the ztn protocol, which takes it where WLCG discovery finds it. */
export async function xrdcp(url: string, tokenFile: string, told: Surroundings): Promise<Answer> {
  const env = { X509_CERT_DIR: told.caDirectory, BEARER_TOKEN_FILE: tokenFile, XRD_CONNECTIONRETRY: '0' };
  return answerOf(await ran(['xrdcp', '--nopbar', url, '-'], env));
}

const answerOf = ({ status, stdout, stderr }: Ran): Answer =>
  status === 0 ? { kind: 'done', text: stdout } : { kind: 'failed', text: stderr };
