import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDenied } from '../../src/condor/vault-denial.ts';
import type { AccountRecord } from '../../src/store/records.ts';

const trouble = (code: string) => ({ code }) as NonNullable<AccountRecord['trouble']>;

test('a vault token goes with its first definite refusal, and not for what passes or is over', () => {
  assert.equal(isDenied({ login: 'suspended', trouble: trouble('login-suspended') }), true);
  assert.equal(isDenied({ login: 'dead', trouble: trouble('login-needed') }), true);
  assert.equal(isDenied({ login: 'dead', trouble: null }), false, 'another token works since');
  assert.equal(isDenied({ login: 'dead', trouble: trouble('issuer-fault') }), false);
  assert.equal(isDenied({ login: 'none', trouble: trouble('client-refused') }), false);
});
