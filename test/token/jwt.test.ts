import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from '../../src/token/jwt.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (header: unknown, claims: unknown): string => `${part(header)}.${part(claims)}.c2ln`;

test('a JWT is taken apart into header and claims', () => {
  assert.deepEqual(decodeJwt(jwt({ alg: 'ES256' }, { iss: 'https://issuer.example', exp: 1 })), {
    kind: 'jwt',
    header: { alg: 'ES256' },
    claims: { iss: 'https://issuer.example', exp: 1 },
  });
});

test('text that is no compact JWS is opaque: no dots, two parts, encrypted with five parts, dots by chance', () => {
  for (const text of ['', 'abc', 'eyJhbGciOiJub25lIn0.e30', 'eyJ.b.c.d.e', '.a.b', 'ya29.a0.Af_x']) {
    assert.deepEqual(decodeJwt(text), { kind: 'opaque' }, text);
  }
});

test('what looks like a JWT and is none is malformed, with a reason that does not quote it', () => {
  const good = jwt({ alg: 'ES256' }, { sub: 'canary' });
  const [header, claims] = good.split('.');
  const bad = {
    'padded claims': `${header}.${claims}=.c2ln`,
    'standard base64': `${header}.ab+/.c2ln`,
    'a length that cannot be': `${header}.abcde.c2ln`,
    'a list as claims': `${header}.${part([1])}.c2ln`,
    'claims that are no JSON': `${header}.${Buffer.from('{canary').toString('base64url')}.c2ln`,
    'claims that are no UTF-8': `${header}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.c2ln`,
    'empty claims': `${header}..c2ln`,
    'a signature of a length that cannot be': `${header}.${claims}.abcde`,
    'a signature with a blank': `${header}.${claims}.c2 ln`,
    'far too long': `${header}.${'a'.repeat(16 * 1024)}.c2ln`,
  };
  for (const [what, text] of Object.entries(bad)) {
    const decoded = decodeJwt(text);
    assert.equal(decoded.kind, 'malformed', what);
    assert.doesNotMatch(JSON.stringify(decoded), /canary/);
  }
});

test('any claims come back as they went in, and any text is decoded without a throw', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (claims) => {
      const decoded = decodeJwt(jwt({ alg: 'none' }, claims));
      assert.deepEqual(decoded.kind === 'jwt' && decoded.claims, JSON.parse(JSON.stringify(claims)));
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => decodeJwt(`eyJ${text}`).kind !== undefined));
});
