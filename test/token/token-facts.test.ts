import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TokenFacts } from '../../src/store/records.ts';
import { Secret } from '../../src/token/secret.ts';
import { epochFromSeconds, seconds } from '../../src/token/time.ts';
import { describeToken } from '../../src/token/token-facts.ts';

const sentAt = epochFromSeconds(1_800_000_000);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: unknown) => new Secret('access_token', `${part({ alg: 'ES256' })}.${part(claims)}.c2ln`);

test('a WLCG token is described from its claims', () => {
  const token = jwt({
    iss: 'https://issuer.example/',
    sub: 'alice',
    aud: ['https://wlcg.cern.ch/jwt/v1/any', 'batch.example'],
    scope: 'storage.read:/ compute.read',
    iat: 1_800_000_000,
    exp: 1_800_003_600,
    jti: 'one',
  });
  const facts: TokenFacts = describeToken(token, { sentAt, scope: ['other'] });
  assert.deepEqual(facts, {
    fingerprint: token.fingerprint,
    issuer: 'https://issuer.example/',
    subject: 'alice',
    audience: ['https://wlcg.cern.ch/jwt/v1/any', 'batch.example'],
    scope: ['storage.read:/', 'compute.read'],
    issuedAt: sentAt,
    expiresAt: epochFromSeconds(1_800_003_600),
    lifeFrom: 'exp',
    jti: 'one',
  });
});

test('one audience as text, scopes as a list in scp, and claims of wrong types', () => {
  const facts = describeToken(jwt({ aud: 'one', scp: ['a', 'b', 7], iss: 7, sub: null }), { sentAt });
  assert.deepEqual([facts.audience, facts.scope], [['one'], ['a', 'b']]);
  assert.ok(!('issuer' in facts) && !('subject' in facts));
});

test('an opaque token is described from the answer it came in', () => {
  const facts = describeToken(new Secret('access_token', 'opaque'), { sentAt, expiresIn: seconds(60), scope: ['a'] });
  assert.deepEqual(
    [facts.audience, facts.scope, facts.lifeFrom, facts.expiresAt - sentAt],
    [[], ['a'], 'expires_in', seconds(60)],
  );
});
