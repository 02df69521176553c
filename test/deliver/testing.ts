import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { FileTarget } from '../../src/config/config.ts';
import { type AccessToken, Secret } from '../../src/token/secret.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';

export const me = process.geteuid?.() ?? -1;
export const isRoot = me === 0;

export const accessToken = (text: string): AccessToken => new Secret('access_token', text);

/** A directory of the test's own, gone with the test. */
export function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'deliver-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function fileTarget(path: string, more: Partial<FileTarget> = {}): FileTarget {
  return { kind: 'file', id: `file:${path}`, path, mode: 0o600, existing: 'set', inPlace: false, ...more };
}

export const worldWith = (more: Partial<World>): World => ({ ...realWorld(), ...more });
