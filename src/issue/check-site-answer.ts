import { formatDuration } from '../config/duration.ts';
import { counted, printable } from '../observe/printable.ts';
import { hours, type Millis, millis, seconds } from '../token/time.ts';
import type { Http, HttpAnswer } from '../world/http.ts';
import { ok, type SiteFinding, warning, wrong } from './check-site-finding.ts';

export interface Fetched {
  /** Undefined if verifiers could not use what came back. */
  readonly body: string | undefined;
  readonly status: number | undefined;
  readonly findings: readonly SiteFinding[];
}

export interface FetchWish {
  readonly url: URL;
  /** What it is, for the sentences: `the keys`. */
  readonly what: string;
  readonly caFile: string | undefined;
  /** Caches must not keep it longer than a new key is published before it signs. */
  readonly ahead: Millis;
}

/** Verifiers read no more of a key set than this, and of metadata less. */
const largest = 256 * 1024;
/** How often verifiers ask anew on their own (WLCG profile 1.3, key cache refresh). */
const usualRefresh = hours(6);

/** Fetches a document as a verifier does: no redirect is followed, TLS is verified, the answer is limited. */
export async function fetchAsVerifier(http: Http, wish: FetchWish): Promise<Fetched> {
  const answer = await http.send({
    method: 'GET',
    url: wish.url,
    headers: { accept: 'application/json' },
    timeout: seconds(15),
    maxBytes: largest,
    connection: 'fresh',
    ...(wish.caFile === undefined ? {} : { caFile: wish.caFile }),
  });
  if (answer.kind === 'no-answer') {
    const { code, message: sentence } = answer.fault;
    const finding: SiteFinding =
      code === 'issuer-tls'
        ? wrong(sentence, {
            turn: 'web-server',
            hint: 'services verify the certificate too; for a CA of your own: --ca-file',
          })
        : { severity: 'unreachable', sentence, turn: 'web-server' };
    return { body: undefined, status: undefined, findings: [finding] };
  }
  const { status } = answer;
  if (status !== 200) return { body: undefined, status, findings: [otherStatus(answer, wish)] };
  const findings = [...typeFindings(answer, wish), ...cachingFindings(answer, wish)];
  return { body: answer.body, status, findings };
}

function otherStatus({ status, headers }: HttpAnswer, { url, what }: FetchWish): SiteFinding {
  if (status >= 500 || status === 429) {
    return { severity: 'unreachable', sentence: `${url.href} answers ${status}`, turn: 'web-server' };
  }
  if (status >= 300 && status < 400) {
    const to = printable(headers['location'] ?? 'nowhere');
    return wrong(`${what} at ${url.href} are moved by a redirect (${status}) to ${to}, which verifiers do not follow`, {
      turn: 'web-server',
      hint: 'answer there with the file itself',
    });
  }
  return wrong(`${what} are not at ${url.href} (${status})`, {
    turn: status === 404 ? 'issuer' : 'web-server',
    hint: 'is the site published, and are names with a dot in front served? tokeep issuer publish OUTDIR',
  });
}

function typeFindings({ headers }: HttpAnswer, { url }: FetchWish): readonly SiteFinding[] {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/json' || type === 'application/jwk-set+json') return [];
  const found = type === undefined ? 'without a type' : `as ${printable(type)}`;
  return [
    warning(`${url.href} comes ${found} instead of application/json; a few verifiers want that`, {
      turn: 'web-server',
      hint: 'set the type at the web server, or have it serve the .json file beside it',
    }),
  ];
}

/** WLCG profile 1.3 wants caching headers; what stays in caches longer than a key is published ahead breaks a rotation. */
function cachingFindings({ headers }: HttpAnswer, { url, ahead }: FetchWish): readonly SiteFinding[] {
  const directives = (headers['cache-control'] ?? '').toLowerCase();
  const age = /\b(?:s-maxage|max-age)="?(\d{1,12})/g;
  const ages = [...directives.matchAll(age)].map(([, text]) => seconds(Number(text)));
  const kept = millis(Math.max(...ages, 0));
  if (kept > ahead) {
    return [
      wrong(
        `${url.href} may be kept for ${formatDuration(kept)}, and a new key signs ${formatDuration(ahead)} after it was published`,
        { turn: 'web-server', hint: 'Cache-Control: max-age=3600' },
      ),
    ];
  }
  if (kept > usualRefresh) {
    return [
      warning(`${url.href} may be kept for ${formatDuration(kept)}, longer than verifiers keep keys on their own`, {
        turn: 'web-server',
        hint: 'Cache-Control: max-age=3600',
      }),
    ];
  }
  if (ages.length > 0 || /\bno-(store|cache)\b/.test(directives) || headers['expires'] !== undefined) return [];
  return [
    warning(`${url.href} says nothing of how long it may be kept`, {
      turn: 'web-server',
      hint: 'Cache-Control: max-age=3600',
    }),
  ];
}

const soon = { warn: hours(14 * 24), wrong: hours(2 * 24) };

/** @param left until the certificate of the web server ends. */
export function certificateFinding(host: string, left: Millis): SiteFinding {
  const days = counted(Math.floor(left / hours(24)), 'day');
  if (left > soon.warn) return ok(`the certificate of ${host} is good for ${days}`);
  const finding = left > soon.wrong ? warning : wrong;
  return finding(`the certificate of ${host} ends in ${days}; without it no service finds the keys`, {
    turn: 'web-server',
    hint: 'renew it now, and see why it was not renewed by itself',
  });
}
