import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { accept, type Offer } from '../../src/renew/acceptance.ts';
import type { TokenFacts } from '../../src/store/records.ts';
import { after, hours, millis, minutes } from '../../src/token/time.ts';
import { anAccount, aToken, aWish, noon } from './samples.ts';

const offer = (change: Partial<Offer> = {}): Offer => ({
  wish: aWish(),
  account: anAccount(),
  issuerOfCredential: undefined,
  present: null,
  offered: aToken({ fingerprint: 'f2' }),
  now: noon,
  ...change,
});

const refusal = (change: Partial<Offer>): string | undefined => {
  const acceptance = accept(offer(change));
  return acceptance.kind === 'rejected' ? acceptance.fault.message : undefined;
};

test('a token as wished is accepted without a remark', () => {
  assert.deepEqual(accept(offer()), { kind: 'accepted', remark: undefined });
});

test('scenario 26: another issuer, audience or subject is never taken, and the sentence says the difference', () => {
  assert.match(
    refusal({ offered: aToken({ issuer: 'https://issuer.example' }) }) ?? '',
    /from issuer "https:\/\/issuer.example", wished was/,
  );
  assert.match(
    refusal({ offered: aToken({ audience: ['https://other'] }) }) ?? '',
    /for audience https:\/\/other; https:\/\/storage.example is missing/,
  );
  assert.match(
    refusal({ present: aToken(), offered: aToken({ subject: 'somebody' }) }) ?? '',
    /for subject "somebody", wished was "robot"/,
  );
});

test('scenario 26: an expired token is not taken, not even where there is none', () => {
  assert.match(refusal({ offered: aToken({ expiresAt: noon }) }) ?? '', /already expired/);
});

test('scenario 26: a life that ends sooner than the present one is not taken while the present one lives', () => {
  const present = aToken({ expiresAt: after(noon, hours(2)) });
  assert.match(refusal({ present, offered: aToken({ fingerprint: 'f2' }) }) ?? '', /ends sooner/);
  assert.equal(
    refusal({ present: { ...present, expiresAt: noon }, offered: aToken({ fingerprint: 'f2' }) }),
    undefined,
  );
});

test('the wildcard audience serves every wish; a token without aud cannot be compared', () => {
  assert.equal(refusal({ offered: aToken({ audience: ['https://wlcg.cern.ch/jwt/v1/any'] }) }), undefined);
  assert.equal(refusal({ offered: aToken({ audience: [] }) }), undefined);
});

test('what is asked for beside the wish may be missing', () => {
  const scopes = ['storage.read:/', 'condor.user:alice'] as never[];
  const wish = aWish({ scope: { kind: 'scopes', scopes }, extraScopes: ['condor.user:alice' as never] });
  const remarkOf = (scope: readonly string[]) => {
    const acceptance = accept(offer({ wish, offered: aToken({ fingerprint: 'f2', scope }) }));
    return acceptance.kind === 'accepted' && acceptance.remark?.message;
  };
  assert.equal(remarkOf(['storage.read:/']), undefined);
  assert.equal(remarkOf(['storage.create:/']), 'the issuer gave a token without storage.read:/');
});

test('fewer scopes are delivered with a remark only where nothing better is valid', () => {
  const wish = aWish({ scope: { kind: 'scopes', scopes: ['storage.read:/', 'storage.create:/'] as never } });
  const both = aToken({ scope: ['storage.read:/', 'storage.create:/'] });
  const one = aToken({ fingerprint: 'f2', scope: ['storage.read:/'] });
  const first = accept(offer({ wish, offered: one }));
  assert.equal(first.kind === 'accepted' && first.remark?.code, 'token-narrow');
  assert.match(
    refusal({ wish, present: both, offered: one }) ?? '',
    /without storage.create:\/, and the present one is better/,
  );
  const expired: TokenFacts = { ...both, expiresAt: after(noon, millis(-1)) };
  assert.equal(refusal({ wish, present: expired, offered: one }), undefined);
});

test('wishes that leave the choice to the issuer accept what comes', () => {
  for (const scopes of [['wlcg.capabilityset:/production'], ['wlcg.groups:/cms', 'storage.read:/']]) {
    const wish = aWish({ scope: { kind: 'scopes', scopes: scopes as never } });
    assert.deepEqual(accept(offer({ wish })), { kind: 'accepted', remark: undefined });
  }
});

test('property: whatever is offered, a good token is never replaced by one that ends sooner', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), fc.integer({ min: -60, max: 600 }), (have, get) => {
      const present = aToken({ expiresAt: after(noon, minutes(have)) });
      const offered = aToken({ fingerprint: 'f2', expiresAt: after(noon, minutes(get)) });
      const acceptance = accept(offer({ present, offered }));
      if (get < have) assert.equal(acceptance.kind, 'rejected');
    }),
  );
});
