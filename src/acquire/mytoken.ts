import type { MytokenAccount } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { Fault } from '../fault/fault.ts';
import { Secret } from '../token/secret.ts';
import { type Millis, seconds } from '../token/time.ts';
import { jsonOf } from './answer-json.ts';
import { credentialAtHand } from './credential-at-hand.ts';
import type { Grant, GrantContext, NoAnswer, RawAnswer, Salvage, TokenRequest } from './grant.ts';
import { judgeMytokenAnswer } from './mytoken-judge.ts';
import { mytokenEndpoint } from './mytoken-metadata.ts';
import { isCredential } from './salvage.ts';

type Context = GrantContext<MytokenAccount>;

const largestAnswer = 1024 * 1024;
const longestLife: Millis = seconds(100 * 365 * 86_400);

/**
 * Asks a Mytoken server, whose mytoken stands for a refresh token that the server keeps. A mytoken may rotate with each use,
 * without any grace: the old one is dead at once, so that the full rotation protocol applies.
 */
export const mytokenGrant: Grant<MytokenAccount> = {
  name: 'mytoken',
  asks: 'issuer',
  spends: 'credential',
  issuerKey: (account) => account.server,
  firstCredential: ({ world, account }) => readSecret(world, account.mytoken, 'mytoken'),
  send,
  salvage,
  judge: (raw, { account }) => judgeMytokenAnswer(raw, account),
};

async function send(context: Context, request: TokenRequest): Promise<RawAnswer | NoAnswer> {
  const { world, account, signal } = context;
  const credential = await credentialAtHand(context, 'mytoken', account.mytoken);
  if (credential instanceof Fault) return { kind: 'none', sent: 'no', fault: credential };
  const endpoint = await mytokenEndpoint(world, account, signal);
  if (endpoint instanceof Fault) return { kind: 'none', sent: 'no', fault: endpoint };
  const answer = await world.http.send({
    method: 'POST',
    url: endpoint,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(bodyOf(account, credential, request)),
    timeout: account.timeout,
    maxBytes: largestAnswer,
    connection: 'fresh',
    signal,
    ...(account.caFile === undefined ? {} : { caFile: account.caFile }),
  });
  if (answer.kind === 'no-answer') return { kind: 'none', sent: answer.sent, fault: answer.fault };
  return { ...answer, kind: 'raw', asked: { url: endpoint.href, secrets: [credential] } };
}

function bodyOf(account: MytokenAccount, credential: Secret<'mytoken'>, { scope, audience }: TokenRequest): object {
  const aud = audience.raw ?? audience.audiences.join(' ');
  return {
    grant_type: 'mytoken',
    mytoken: credential.reveal(),
    ...(account.issuer.kind === 'discovered' ? { oidc_issuer: account.issuer.issuer } : {}),
    // There is no blank scope here: without one the server takes what the mytoken allows.
    ...(scope.kind === 'scopes' ? { scope: scope.scopes.join(' ') } : {}),
    ...(aud === '' ? {} : { audience: aud }),
  };
}

/** A successor may come with any answer, also with an error: the use has rotated the mytoken whatever came of it. */
function salvage(raw: RawAnswer): Salvage {
  const update = jsonOf(raw)?.['token_update'] as Readonly<Record<string, unknown>> | null | undefined;
  const text = update?.['mytoken'];
  if (!isCredential(text)) return { successor: undefined, credentialExpiresIn: undefined };
  return { successor: new Secret('mytoken', text), credentialExpiresIn: lifeOf(update?.['expires_in']) };
}

/** Absent means that it does not expire. */
function lifeOf(value: unknown): Millis | undefined {
  if (typeof value !== 'number' || !(value > 0)) return undefined;
  return Math.min(seconds(value), longestLife) as Millis;
}
