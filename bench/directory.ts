import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { placesIn } from './engine-in.ts';

/** A directory of its own, gone at the end: in memory, or on the disk of this machine. */
export async function directoryOn(medium: 'memory' | 'disk'): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(medium === 'memory' ? '/dev/shm' : tmpdir(), 'tokeep-bench-'));
  await mkdir(placesIn(path).targets, { mode: 0o700 });
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
