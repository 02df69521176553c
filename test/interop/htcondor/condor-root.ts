import { existsSync, readFileSync } from 'node:fs';
import { appendFile, chmod, copyFile, mkdir, mkdtemp, readdir, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { systemList } from '../packages.ts';
import { ran } from '../run-program.ts';
import { isolated } from './isolation.ts';
import { say, took } from './progress.ts';
import { removedWithUs } from './removed-with-us.ts';

/** A directory with a Debian of its own, HTCondor in it. */
export interface CondorRoot extends AsyncDisposable {
  readonly directory: string;
}

type Made = { readonly kind: 'made'; readonly root: CondorRoot } | Failed;
interface Failed {
  readonly kind: 'failed';
  readonly why: string;
}

/** Debian 13, whose HTCondor is 23.9.6. */
const suite = 'trixie';
const packages = ['htcondor', 'ca-certificates', 'procps'];
/** Stands in the root once it is complete. */
const complete = 'etc/tokeep-pool';

/** In a new place that is gone after the run however it ends; or in TOKEEP_CONDOR_ROOT, where it stays for the next run. */
export async function condorRoot(): Promise<Made> {
  const kept = process.env['TOKEEP_CONDOR_ROOT'];
  if (kept !== undefined && kept !== '') {
    const directory = resolve(kept);
    await mkdir(directory, { recursive: true });
    const isThere = existsSync(join(directory, complete));
    if (!isThere && (await readdir(directory)).length > 0)
      throw new Error(`TOKEEP_CONDOR_ROOT ${directory} is neither empty nor a root that an earlier run has completed`);
    const failed = isThere ? undefined : await build(directory);
    return failed ?? { kind: 'made', root: { directory, [Symbol.asyncDispose]: async () => {} } };
  }
  const directory = await mkdtemp('/var/tmp/tokeep-pool-');
  const guard = removedWithUs(directory);
  const failed = await build(directory);
  if (failed !== undefined) await guard[Symbol.asyncDispose]();
  return failed ?? { kind: 'made', root: { directory, ...guard } };
}

async function build(root: string): Promise<Failed | undefined> {
  say(`building a Debian ${suite} with HTCondor in ${root}, which takes about 45 seconds`);
  // Users of the pool pass through it.
  await chmod(root, 0o755);
  return (
    (await took(`debootstrap is done`, () => step(root, ['debootstrap', '--variant=minbase', suite, root]))) ??
    (await prepared(root)) ??
    (await took('the package lists are there', () => step(root, inside(root, 'apt-get', 'update', '-q')))) ??
    (await took('HTCondor is installed', () =>
      step(root, inside(root, 'apt-get', 'install', '-y', '-q', '--no-install-recommends', ...packages)),
    )) ??
    (await completed(root))
  );
}

const inside = (root: string, ...command: readonly string[]): readonly string[] => [
  ...['chroot', root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8'],
  ...command,
];

async function step(root: string, command: readonly string[]): Promise<Failed | undefined> {
  const { status, stdout, stderr } = await ran(isolated.command('build', root, command));
  if (status === 0) return undefined;
  const lines = `${stdout}\n${stderr}`.trim().split('\n');
  const said = lines.findLast((line) => /^E: /.test(line)) ?? lines.at(-1) ?? '';
  const name = command.find((word) => word === 'debootstrap' || word === 'apt-get');
  return { kind: 'failed', why: `${name} ended with ${status}: ${said}` };
}

/** No daemon starts when its package is installed; the way to the mirror is this machine's. */
async function prepared(root: string): Promise<undefined> {
  const policy = join(root, 'usr/sbin/policy-rc.d');
  await writeFile(policy, '#!/bin/sh\nexit 101\n');
  // What is thrown away after the run need not survive a power cut, and nobody reads its manuals.
  const lean = ['doc', 'man', 'locale'].map((name) => `path-exclude=/usr/share/${name}/*`);
  await writeFile(join(root, 'etc/dpkg/dpkg.cfg.d/lean'), `force-unsafe-io\n${lean.join('\n')}\n`);
  await chmod(policy, 0o755);
  await copyFile('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
}

async function completed(root: string): Promise<Failed | undefined> {
  const failed = await step(root, inside(root, 'apt-get', 'clean'));
  if (failed !== undefined) return failed;
  const part = join(root, `${complete}.part`);
  await writeFile(part, `${suite}\n`);
  await rename(part, join(root, complete));
  return undefined;
}

/** The root trusts these CAs beside Debian's own, until the next run. */
export async function trustAlso(root: string, ...caFiles: readonly string[]): Promise<void> {
  const [list, original] = [join(root, systemList), join(root, `${systemList}.debian`)];
  if (!existsSync(original)) await copyFile(list, original);
  await copyFile(original, list);
  for (const file of caFiles) await appendFile(list, readFileSync(file));
}
