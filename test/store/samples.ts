import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keySealer } from '../../src/store/envelope.ts';
import type { AccountRecord, WishRecord } from '../../src/store/records.ts';
import type { WishSeed } from '../../src/store/store.ts';
import type { AccountName, WishName } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { epoch } from '../../src/token/time.ts';

export const at = epoch(1_800_000_000_000);
export const sealer = keySealer(Buffer.alloc(32, 7));

/** Gone with the process. */
export function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tokeep-store-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'state');
}

export const wishName = (name: string) => name as WishName;
export const accountName = (name: string) => name as AccountName;

export const seed = (name: string, fingerprint = 'f1', account = 'acc'): WishSeed => ({
  name: wishName(name),
  account: accountName(account),
  fingerprint,
});

export const accessToken = (text: string) => new Secret('access_token', text);
export const refreshToken = (text: string) => new Secret('refresh_token', text);

export const tokenFacts = (text: string): NonNullable<WishRecord['token']> => ({
  fingerprint: accessToken(text).fingerprint,
  audience: ['https://storage.example'],
  scope: ['storage.read:/'],
  issuedAt: at,
  expiresAt: epoch(at + 3_600_000),
  lifeFrom: 'exp',
});

export const account = (name: string, generation = 1, more: Partial<AccountRecord> = {}): AccountRecord => ({
  name: accountName(name),
  fingerprint: 'af',
  state: 'kept',
  generation,
  login: 'ready',
  credential: { kind: 'refresh_token', fingerprint: `rt${generation}`, obtainedAt: at },
  expiry: { kind: 'unknown' },
  intent: null,
  trouble: null,
  writeBack: null,
  learnt: {},
  client: null,
  ...more,
});
