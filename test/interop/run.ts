// Runs the tests against real software, where that is there or can be installed. Arguments are test files to run instead of all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { throwAwayCa } from '../peers/throw-away-ca.ts';
import { type Confinement, confined, confinementHere, means } from './confinement.ts';
import { ownPlaces } from './own-places.ts';
import {
  install,
  libscitokensRelease,
  mayInstall,
  missingCompiler,
  missingPackages,
  xrootdRelease,
} from './packages.ts';
import { outputOf } from './run-program.ts';
import { asEnvironment, type Surroundings } from './surroundings.ts';

const top = join(import.meta.dirname, '../..');
const say = (line: string) => process.stdout.write(`interop: ${line}\n`);

/** Whether the packages are there, if need be after installing them; says why not. */
async function thereOrInstalled(missing: readonly string[]): Promise<boolean> {
  if (missing.length === 0) return true;
  if (!mayInstall()) {
    say(
      `skipped, nothing was tested against a real XRootD: missing here: ${missing.join(' ')} (run as root on Debian)`,
    );
    return false;
  }
  say(`installing ${missing.join(' ')}`);
  const outcome = await install(missing);
  if (outcome.kind === 'installed') return true;
  say(`skipped, nothing was tested against a real XRootD: its packages cannot be installed (${outcome.why})`);
  return false;
}

async function runTests(how: Confinement, files: readonly string[]): Promise<number> {
  await using ca = await throwAwayCa();
  const directory = mkdtempSync(join(tmpdir(), 'tokeep-interop-'));
  try {
    // XRootD runs as another user and must get in; what is private inside has its own mode.
    chmodSync(directory, 0o755);
    const caDirectory = join(directory, 'ca');
    const caFile = join(caDirectory, 'ca.pem');
    mkdirSync(caDirectory);
    copyFileSync(ca.caFile, caFile);
    await outputOf(['openssl', 'rehash', caDirectory]);
    const told: Surroundings = {
      ...{ caFile, caDirectory, directory, xrootd: await xrootdRelease(), libscitokens: await libscitokensRelease() },
      ...(await ca.certificate()),
      ...(await means(how, directory, caFile)),
    };
    say(`XRootD ${told.xrootd} with libscitokens ${told.libscitokens}, shut in by ${how}`);
    const tests = files.length === 0 ? ['test/interop/*.test.ts'] : files;
    const command = [process.execPath, '--test', '--test-concurrency=2', '--test-timeout=120000', ...tests];
    const [program = '', ...args] = confined(how, caFile, command);
    const env = { ...process.env, ...asEnvironment(told), ...(await ownPlaces(directory)) };
    const child = spawn(program, args, { cwd: top, stdio: 'inherit', env });
    // Stopped by hand: the tests end first, then what they leave is removed.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    const [status] = (await once(child, 'close')) as [number | null];
    return status ?? 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const here = await thereOrInstalled(missingPackages());
const how = here ? await confinementHere() : undefined;
if (how !== undefined && (how === 'namespaces' || (await thereOrInstalled(missingCompiler()))))
  process.exitCode = await runTests(how, process.argv.slice(2));
