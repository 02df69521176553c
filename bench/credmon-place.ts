import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeCondorConfig } from '../test/peers/condor-config.ts';
import { bundle } from './bundle.ts';
import { node } from './programs.ts';

/** The command, and the process for the network that it starts, as somebody else. */
export async function credmonBundle(): ReturnType<typeof bundle> {
  const released = await bundle(undefined, { 'tokeep-network': 'src/cli/tokeep-network.ts' });
  await chmod(join(dirname(released.program), '..'), 0o755);
  return released;
}

/** As bin/tokeep-credmon has it. */
const flags = ['--min-semi-space-size=16', '--max-semi-space-size=16', '--initial-old-space-size=96'];

/** An access point in a directory of its own: HTCondor's configuration, its credential directory, the credmon's state. */
export interface AccessPoint extends AsyncDisposable {
  readonly path: string;
  readonly credentials: string;
  readonly pid: number;
  /** Of the credmon and its network process. */
  readonly pids: () => Promise<readonly number[]>;
  /** Starts the credmon (bundled) and resolves with the seconds until it had looked at everything. */
  start(program: string): Promise<number>;
  stop(): Promise<void>;
}

export async function accessPoint(
  medium: 'memory' | 'disk',
  knobs: (path: string) => Readonly<Record<string, string>>,
  tokeep = '{}\n',
): Promise<AccessPoint> {
  const path = await mkdtemp(join(medium === 'memory' ? '/dev/shm' : tmpdir(), 'tokeep-bench-'));
  await chmod(path, 0o755);
  const credentials = join(path, 'credentials');
  await mkdir(credentials);
  await chmod(credentials, 0o2770);
  await writeFile(join(path, 'tokeep.yaml'), tokeep, { mode: 0o600 });
  const places = {
    SEC_CREDENTIAL_DIRECTORY_OAUTH: credentials,
    LOCAL_DIR: path,
    FULL_HOSTNAME: 'ap.example',
    TOKEEP_CREDMON_STATE: join(path, 'state'),
    TOKEEP_CREDMON_CONFIG: join(path, 'tokeep.yaml'),
    CREDMON_OAUTH_LOG: join(path, 'log'),
  };
  // What others could write to is not run.
  const bin = await mkdtemp(join(homedir(), '.tokeep-bench-'));
  await writeCondorConfig(bin, { ...places, ...knobs(path) });
  let child: ChildProcess | undefined;
  const stop = async () => {
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  return {
    path,
    credentials,
    get pid() {
      return child?.pid ?? 0;
    },
    async pids() {
      const own = child?.pid ?? 0;
      const children = await readFile(`/proc/${own}/task/${own}/children`, 'utf8');
      return [own, ...children.trim().split(' ').filter(Boolean).map(Number)];
    },
    async start(program) {
      const begun = performance.now();
      const env = { ...process.env, CONFIGURATION_DIRECTORY: path };
      child = node([...flags, program, 'credmon', '--condor-bin', bin], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env,
      });
      await untilThere(join(credentials, 'CREDMON_COMPLETE'), begun, child);
      return (performance.now() - begun) / 1000;
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      for (const each of [path, bin]) await rm(each, { recursive: true, force: true });
    },
  };
}

/** A file of a start before this one does not count. */
async function untilThere(file: string, since: number, child: ChildProcess): Promise<void> {
  const began = Date.now() - (performance.now() - since);
  for (;;) {
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && found.mtimeMs >= began - 1) return;
    if (child.exitCode !== null) throw new Error(`the credmon ended with ${child.exitCode}`);
    await sleep(2);
  }
}

/** As condor_credd does: a file beside it, renamed. */
export async function putTop(credentials: string, user: string, name: string, content: string): Promise<void> {
  const place = join(credentials, user);
  await mkdir(place, { mode: 0o700 }).catch(() => {});
  await writeFile(join(place, `${name}.top.tmp`), content, { mode: 0o600 });
  await rename(join(place, `${name}.top.tmp`), join(place, `${name}.top`));
}
