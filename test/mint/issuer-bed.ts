import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../../src/fault/fault.ts';
import { createIssuer, type NewIssuer } from '../../src/mint/create-issuer.ts';
import { openIssuer } from '../../src/mint/open-issuer.ts';
import type { MintRequest } from '../../src/mint/policy.ts';
import { keySealer } from '../../src/store/envelope.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { hours } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import type { World } from '../../src/world/world.ts';

export const url = 'https://issuer.example.org/osg' as IssuerUrl;
export const sealer = keySealer(Buffer.alloc(32, 7));
export const deps = { sealer: async () => sealer, chain: 'local' };

const made: string[] = [];
process.on('exit', () => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** Gone with the process. */
export function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tokeep-mint-'));
  made.push(directory);
  return join(directory, 'issuer');
}

export function stoppedWorld(): World & { readonly clock: TestClock } {
  return { ...realWorld(), clock: new TestClock() };
}

export const newIssuer = (more: Partial<NewIssuer> = {}): NewIssuer => ({
  url,
  profile: 'wlcg',
  policy: {
    scopes: ['storage.read:/osg', 'compute.*'],
    audiences: ['https://*.example.org', 'ce*.example.org:9619'],
    everyone: false,
    subjects: ['pilot-*', 'robot'],
    groups: ['/osg/*'],
    claims: ['email'],
    lifetime: { usual: hours(1), most: hours(6) },
    suspended: ['pilot-bad'],
  },
  keys: 'sealed',
  store: { kind: 'sqlite' },
  algorithm: 'ES256',
  by: 'init',
  ...more,
});

export const request = (more: Partial<MintRequest> = {}): MintRequest => ({
  subject: 'pilot-1',
  audiences: ['https://se.example.org'],
  everyone: false,
  scopes: ['storage.read:/osg/data'],
  groups: [],
  claims: {},
  by: 'sign',
  deliveredTo: ['stdout'],
  ...more,
});

export const isFault =
  (code: string) =>
  (thrown: unknown): thrown is Fault =>
    thrown instanceof Fault && thrown.code === code;

export { createIssuer, openIssuer };
