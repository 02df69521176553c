import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CompactSign, SignJWT } from 'jose';
import { Secret } from '../../src/token/secret.ts';
import { hours, minutes, seconds } from '../../src/token/time.ts';
import { KeyCache } from '../../src/verify/key-cache.ts';
import type { TrustedIssuer } from '../../src/verify/trust.ts';
import type { RefusalCode, Verification, VerifiedToken } from '../../src/verify/verification.ts';
import { Verifier } from '../../src/verify/verifier.ts';
import type { Http } from '../../src/world/http.ts';
import { realRandom } from '../../src/world/real-random.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import {
  encoded,
  goodClaims,
  issuer,
  jwksOf,
  makeKey,
  noon,
  noonSeconds,
  ourAudience,
  signText,
  signToken,
  trustIn,
  type Written,
} from './signing.ts';

const ec = makeKey('ec-1');
const rsa = makeKey('rsa-1', 'RS256');

/** Keys are at hand in these tests: a request is a mistake. */
const noNetwork: Http = {
  send: ({ url }) => Promise.reject(new Error(`asked ${url.href}`)),
  close: () => Promise.resolve(),
};

function verifierFor(change: Partial<TrustedIssuer> = {}, keys = [ec, rsa]): Verifier {
  const clock = new TestClock(noon);
  const cache = new KeyCache({ world: { clock, http: noNetwork, random: realRandom } });
  return new Verifier({ trusted: [trustIn(keys, change)], keys: cache, clock });
}

const strict = verifierFor();

function valid(verification: Verification): VerifiedToken {
  assert.equal(verification.kind, 'valid', JSON.stringify(verification));
  return (verification as Extract<Verification, { kind: 'valid' }>).token;
}

function refused(verification: ReturnType<Verifier['verifyNow']>, code: RefusalCode, says?: RegExp): void {
  assert.ok(verification.kind === 'refused', `a token was not refused: ${JSON.stringify(verification)}`);
  assert.equal(verification.code, code, verification.why);
  if (says !== undefined) assert.match(`${verification.why}; ${verification.hint ?? ''}`, says);
}

const judge = (written: Written, verifier = strict) => verifier.verifyNow(signToken(ec, written));

test('a good token of a trusted issuer is valid, and what is in it is told', async () => {
  const token = valid(await strict.verify(signToken(ec, { claims: { 'wlcg.groups': ['/cms', '/cms/ops'] } })));
  const { header: _, claims: __, ...told } = token;
  assert.deepEqual(told, {
    profile: 'wlcg',
    issuer,
    subject: 'robot',
    audiences: [ourAudience],
    audience: ourAudience,
    scopes: ['storage.read:/data'],
    groups: ['/cms', '/cms/ops'],
    jti: 'j1',
    kid: 'ec-1',
    issuedAt: noon - 60_000,
    expiresAt: noon + 3_540_000,
  });
  valid(await strict.verify(new Secret('access_token', signToken(rsa))));
  assert.deepEqual(strict.counters(), { [issuer]: { valid: 2 } });
});
