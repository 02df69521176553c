import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { TestContext } from 'node:test';

/** A credential directory of the test's own, made as condor_master does, gone with the test. */
export function credentialDirectory(t: TestContext): string {
  const umask = process.umask(0o027);
  const directory = mkdtempSync(`${tmpdir()}/condor-`);
  t.after(() => {
    process.umask(umask);
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Puts a file there as condor_credd does: another name first, then renamed. */
export function put(directory: string, user: string, file: string, content: string): void {
  mkdirSync(`${directory}/${user}`, { recursive: true, mode: 0o700 });
  const path = `${directory}/${user}/${file}`;
  writeFileSync(`${path}.tmp`, content, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}
