import type { Account, Wish } from '../../src/config/config.ts';
import type { TokenFacts, WishRecord } from '../../src/store/records.ts';
import type { AccountName, Audience, IssuerUrl, Scope, WishName } from '../../src/token/names.ts';
import { after, type Epoch, epoch, hours, seconds } from '../../src/token/time.ts';

export const noon: Epoch = epoch(Date.UTC(2026, 10, 22, 12));

export function aToken(change: Partial<TokenFacts> = {}): TokenFacts {
  return {
    fingerprint: 'f1',
    issuer: 'https://issuer.example/',
    subject: 'robot',
    audience: ['https://storage.example'],
    scope: ['storage.read:/'],
    issuedAt: noon,
    expiresAt: after(noon, hours(1)),
    lifeFrom: 'exp',
    ...change,
  };
}

export function aRecord(change: Partial<WishRecord> = {}): WishRecord {
  return {
    name: 'monitoring' as WishName,
    account: 'robot' as AccountName,
    fingerprint: 'w1',
    wished: 'w1',
    state: 'kept',
    token: aToken(),
    renewAt: after(noon, seconds(2000)),
    dueAt: after(noon, seconds(2000)),
    failures: 0,
    trouble: null,
    remark: null,
    fence: 1,
    renewals: 1,
    ...change,
  };
}

const at = { file: 'tokeep.yaml', line: 1, column: 1 };

export function aWish(change: Partial<Wish> = {}): Wish {
  return {
    name: 'monitoring' as WishName,
    at,
    account: 'robot' as AccountName,
    audience: { audiences: ['https://storage.example' as Audience] },
    scope: { kind: 'scopes', scopes: ['storage.read:/' as Scope] },
    freshness: 'due-point',
    targets: [],
    fingerprint: 'w1',
    ...change,
  };
}

export function anAccount(): Account {
  return {
    name: 'robot' as AccountName,
    at,
    grant: 'client_credentials',
    issuer: { kind: 'discovered', issuer: 'https://issuer.example/' as IssuerUrl },
    audienceStyle: 'auto',
    timeout: seconds(10),
    fingerprint: 'a1',
    clientId: 'robot',
    clientAuth: { kind: 'none' },
  };
}
