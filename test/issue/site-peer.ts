import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { KeyState, SigningKey } from '../../src/mint/signing-key.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { epoch } from '../../src/token/time.ts';

export const url = 'https://issuer.example/vo' as IssuerUrl;

/** A key as the issuer's store would hand it out. */
export function signingKey(kid: string, state: KeyState = 'signing', facts: Partial<SigningKey> = {}): SigningKey {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return {
    kid,
    algorithm: 'ES256',
    state,
    jwk: { kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig' },
    home: { kind: 'sealed' },
    origin: 'made',
    createdAt: epoch(Date.UTC(2026, 2, 1)),
    ...facts,
  };
}

export async function emptyDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tokeep-site-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Every file below, relative. */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .toSorted();
}
