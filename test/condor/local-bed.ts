import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalIssuerDeps } from '../../src/condor/local-issuer.ts';
import type { LocalProvider } from '../../src/condor/settings.ts';
import { keySealer } from '../../src/store/envelope.ts';
import { minutes } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';

const sealer = keySealer(Buffer.alloc(32, 7));

const made: string[] = [];
process.on('exit', () => {
  for (const place of made) rmSync(place, { recursive: true, force: true });
});

/** A machine's /etc/condor and state, gone with the process. */
export function freshPlace(): string {
  const place = mkdtempSync(join(tmpdir(), 'tokeep-local-'));
  made.push(place);
  return place;
}

export const depsOf = (place: string): LocalIssuerDeps => ({
  world: realWorld(),
  state: `${place}/state`,
  sealer: async () => sealer,
});

/** With HTCondor's defaults, but for what it has none for. */
export const providerIn = (place: string, more: Partial<LocalProvider> = {}): LocalProvider => ({
  provider: 'scitokens',
  privateKey: `${place}/scitokens-private.pem`,
  publicKey: `${place}/scitokens.pem`,
  keyId: 'local',
  algorithm: 'ES256',
  issuer: 'https://ap.example.org',
  lifetime: minutes(20),
  audience: ['https://se.example.org'],
  version: 'scitoken:2.0',
  profile: 'scitokens',
  json: true,
  authz: { template: 'read:/user/{username} write:/user/{username}' },
  ...more,
});
