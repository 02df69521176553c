// Runs tokeep's credmon in a real HTCondor pool, where one can be built. Arguments are test files to run instead of all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install, mayInstall } from '../packages.ts';
import { condorRoot } from './condor-root.ts';
import { installTokeep } from './install-tokeep.ts';
import { isolated, missingHere } from './isolation.ts';
import { say, took } from './progress.ts';
import { removedWithUs } from './removed-with-us.ts';

const skipped = (why: string) => say(`skipped, nothing was tested against a real HTCondor: ${why}`);

/** Why there can be no pool here; undefined if there can, if need be after installing what builds it. */
async function whyNot(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return 'a pool in a chroot needs root';
  const missing = missingHere();
  if (missing.length > 0) {
    if (!mayInstall()) return `missing here: ${missing.join(' ')} (run as root on Debian)`;
    say(`installing ${missing.join(' ')}`);
    const outcome = await install(missing);
    if (outcome.kind === 'failed') return `what builds it cannot be installed (${outcome.why})`;
  }
  return await isolated.whyNot();
}

async function runTests(files: readonly string[]): Promise<number> {
  const made = await condorRoot();
  if (made.kind === 'failed') {
    skipped(made.why);
    return 0;
  }
  await using root = made.root;
  await took('tokeep is in the root', () => installTokeep(root.directory));
  const temporary = await mkdtemp(join(tmpdir(), 'tokeep-condor-'));
  await using _removed = removedWithUs(temporary);
  const program = join(import.meta.dirname, 'within.ts');
  const [command = '', ...args] = isolated.command('pool', root.directory, [process.execPath, program, ...files]);
  const child = spawn(command, args, {
    stdio: 'inherit',
    env: { ...process.env, TOKEEP_CONDOR_IN: root.directory, TMPDIR: temporary },
  });
  // Everything inside ends with its first process, and that one with us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill('SIGKILL'));
  const [status] = (await once(child, 'close')) as [number | null];
  return status ?? 1;
}

const why = await whyNot();
if (why === undefined) process.exitCode = await runTests(process.argv.slice(2));
else skipped(why);
