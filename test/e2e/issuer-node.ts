import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import pg from 'pg';
import { basic, post } from '../issue/server-bed.ts';
import type { House, Ran, Running } from './house.ts';

/** One of several hosts of an issuer, each with a state, a configuration and a sealing key file of its own. */
export interface IssuerNode {
  readonly name: string;
  run(args: readonly string[]): Promise<Ran>;
  /** Like `run`, for what has to work. */
  does(args: readonly string[]): Promise<Ran>;
  /** `tokeep issuer serve` on a free port, when it listens. */
  serve(): Promise<Serving>;
}

export interface Serving extends Running {
  at(path: string): string;
  readonly origin: string;
}

export interface Registered {
  readonly id: string;
  readonly secret: string;
}

const settings = (urlFile: string, caFile: string | undefined): string => `issuer: https://tokens.example.org/vo
policy:
  scopes: ['storage.read:/']
  audiences: ['https://*.example.org']
  subjects: ['*']
store:
  postgres:
    url: { file: ${urlFile} }
${caFile === undefined ? '' : `    ca_file: ${caFile}\n`}`;

/** A host with issuer.yaml as it would be rolled out. `like` is the one whose sealing key it gets a copy of. */
export async function issuerNode(
  house: House,
  name: string,
  database: { readonly url: string; readonly caFile?: string },
  like?: string,
): Promise<IssuerNode> {
  const home = `${name}/state/issuers/default`;
  for (const folder of [`${name}/etc`, home]) await mkdir(house.path(folder), { recursive: true, mode: 0o700 });
  await house.file('tokeep.yaml', 'accounts: {}\n');
  const urlFile = await house.file(`${name}/etc/database`, database.url);
  await house.file(`${home}/issuer.yaml`, settings(urlFile, database.caFile));
  if (like !== undefined) await copyFile(house.path(`${like}/etc/seal.key`), house.path(`${name}/etc/seal.key`));
  const env = {
    TOKEEP_NODE: name,
    CONFIGURATION_DIRECTORY: house.path(`${name}/etc`),
    STATE_DIRECTORY: house.path(`${name}/state`),
  };
  const run = (args: readonly string[]) => house.run(args, { env });
  return {
    name,
    run,
    async does(args) {
      const ran = await run(args);
      assert.equal(ran.status, 0, `${args.join(' ')}: ${ran.stderr}`);
      return ran;
    },
    async serve() {
      const running = house.start(['issuer', 'serve', '--listen', '127.0.0.1:0'], { env });
      const origin = /http:\S+:\d+/.exec(await running.hears(/issuer-serving: .*/))?.[0] ?? '';
      // `end` and the others close over what they work on, so that they can be taken along.
      return { ...running, origin, at: (path) => `${origin}/vo${path}` };
    },
  };
}

/** The first node makes the tables and the key; it signs from now on. */
export async function firstKey(node: IssuerNode): Promise<void> {
  await node.does(['issuer', 'rotate']);
  await node.does(['issuer', 'rotate', '--now', '--reason', 'the first key']);
}

/** Registers a client on that host. */
export async function addClient(node: IssuerNode, id: string, ...options: readonly string[]): Promise<Registered> {
  const { stdout } = await node.does(['issuer', 'client', 'add', id, '--id', id, ...options]);
  return { id, secret: /client_secret (\S+)/.exec(stdout)?.[1] ?? '' };
}

/** What a client that exchanges tokens is registered with. */
export const exchanging: readonly string[] = [
  ...['client_credentials', 'token_exchange', 'refresh_token'].flatMap((grant) => ['--grant', grant]),
  ...['--scope', 'storage.read:/', '--audience', 'https://*.example.org'],
];

type Answer = Awaited<ReturnType<typeof post>>;

export const ask = (
  { at }: Pick<Serving, 'at'>,
  { id, secret }: Registered,
  form: Readonly<Record<string, string>>,
  path = '/token',
): Promise<Answer> => post(at(path), { ...form }, { authorization: basic(id, secret) });

export const clientCredentials = { grant_type: 'client_credentials', audience: 'https://se.example.org' } as const;

/** A smaller token, with a refresh token. */
export const exchangeOf = (token: string) => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token: token,
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  scope: 'storage.read:/data offline_access',
});

export const refreshOf = (token: string) => ({ grant_type: 'refresh_token', refresh_token: token });

export const partOf = (token: unknown, part: 0 | 1): Readonly<Record<string, unknown>> =>
  JSON.parse(Buffer.from(String(token).split('.')[part] ?? '', 'base64url').toString('utf8'));

/** As the role of that URL. */
export async function sql(url: string, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Every refresh token is as good as old when it is made, so that each use of one brings a successor. */
export const agesRefreshTokens = `
  CREATE FUNCTION issuer_refresh_aged() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.issued_at := NEW.issued_at - 4 * (NEW.ends_at - NEW.issued_at); RETURN NEW; END $$;
  CREATE TRIGGER aged BEFORE INSERT ON issuer_refresh FOR EACH ROW EXECUTE FUNCTION issuer_refresh_aged()`;
