import { lengthInWords } from '../token/explain.ts';
import { type Epoch, epochFromSeconds } from '../token/time.ts';
import { type Refused, refusedFor, type SignatureFinding } from './explanation.ts';
import type { Claims } from './quirks-profiles.ts';

/** What is wrong with key or signature, in the words that libscitokens has for it. */
export function keyRefusal(signature: SignatureFinding): Refused | undefined {
  switch (signature.kind) {
    case 'good':
    case 'unknown':
      return undefined;
    case 'key unnamed':
      return refusedFor('kid', `the token does not name its key (kid), and the issuer does not publish just one`, {
        log: 'Key ID empty but multiple keys published.',
        fix: 'put kid into the header of its tokens',
        turn: 'issuer',
      });
    case 'key unpublished':
      return refusedFor(
        'kid',
        `the issuer does not publish the key ${signature.kid}${onlyOthers(signature.published)}`,
        {
          log: 'Key ID is not published by the issuer.',
          fix: 'publish a key before signing with it; services look again after ten minutes at the earliest',
          turn: 'issuer',
        },
      );
    case 'algorithm':
      return refusedFor('alg', `the header says ${signature.found}, and the key is not for that`, {
        log: 'wrong algorithm',
        fix: 'sign with the algorithm of the key, ES256 or RS256',
        turn: 'issuer',
      });
    case 'wrong':
      return refusedFor(
        'signature',
        `the signature is not one of the issuer's key: the token was changed, or ${otherKey(signature.kid)}`,
        {
          log: 'invalid signature',
          fix: 'get the token anew; if it stays so, compare the published keys with the signing key',
          turn: 'issuer',
        },
      );
  }
}

const otherKey = (kid: string | undefined): string =>
  kid === undefined
    ? 'signed with a key that is not published, which it does not name'
    : 'another key has the same name';

const onlyOthers = (published: readonly string[]): string =>
  published.length === 0 ? '' : `, only ${published.join(', ')}`;

/** Without any leeway, in all releases; `iat` is compared too. The same words are logged for all three. */
export function timeRefusal(claims: Claims, now: Epoch): Refused | undefined {
  const [exp, nbf, iat] = [claims['exp'], claims['nbf'], claims['iat']];
  const log = 'token expired';
  if (typeof exp === 'number' && now > epochFromSeconds(exp)) {
    const ago = lengthInWords(now - epochFromSeconds(exp));
    return refusedFor('exp', `the token expired ${ago} ago`, { log, fix: 'get a new token', turn: 'user' });
  }
  for (const [name, time] of [
    ['nbf', nbf],
    ['iat', iat],
  ] as const) {
    if (typeof time !== 'number' || epochFromSeconds(time) <= now) continue;
    const ahead = lengthInWords(epochFromSeconds(time) - now);
    return refusedFor(name, `${name} is ${ahead} in the future, and there is no leeway at all`, {
      log,
      fix: 'date nbf back by a minute, iat never ahead, and compare the clocks of issuer and service',
      turn: 'issuer',
    });
  }
  return undefined;
}
