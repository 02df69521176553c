import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { chmod, chown, copyFile, cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { CertificateFiles } from '../../peers/throw-away-ca.ts';
import { outputOf } from '../run-program.ts';
import { trustAlso } from './condor-root.ts';
import { ranInRoot } from './in-root.ts';
import { tokeepIn } from './install-tokeep.ts';
import { tailOfLogs } from './logs.ts';
import { domain, type PoolWish, poolConfig, robotService, services } from './pool-config.ts';
import { until } from './until.ts';
import { users } from './users.ts';

export interface PoolFiles extends PoolWish {
  readonly root: string;
  readonly caFile: string;
  /** For the daemons of HTCondor, and the web login. */
  readonly server: CertificateFiles;
  /** The tokeep.yaml of the credmon: what HTCondor has no knob for. */
  readonly tokeepYaml: string;
}

/** Nothing of an earlier run is left in a root that is kept: no job, no credential, no key, no log. */
export async function preparePool(wish: PoolFiles): Promise<void> {
  const at = (path: string) => join(wish.root, path);
  await writeFile(at('etc/hosts'), `127.0.0.1 ap.${domain} ap localhost\n`);
  await trustAlso(wish.root, wish.caFile);
  const ours = (await readdir(at('var/lib'))).filter((name) => name.startsWith('tokeep')).map((name) => `lib/${name}`);
  for (const state of ['lib/condor', 'log/condor', 'spool/condor', ...ours])
    await rm(at(`var/${state}`), { recursive: true, force: true });
  for (const name of await readdir(at('etc/condor/config.d')))
    if (!name.startsWith('00-')) await rm(at(`etc/condor/config.d/${name}`));
  for (const place of ['passwords.d', 'tokens.d', '.secrets', 'scitokens-private.pem', 'scitokens.pem'])
    await rm(at(`etc/condor/${place}`), { recursive: true, force: true });
  await madeDirectories(wish.root);
  await madeUsers(wish.root);
  for (const [name, text] of Object.entries(poolConfig(wish))) await writeFile(at(`etc/condor/config.d/${name}`), text);
  for (const name of ['50-tokeep-credmon.conf', '60-bearer-token-file.conf'])
    await copyFile(at(`${tokeepIn}/packaging/htcondor/${name}`), at(`etc/condor/config.d/${name}`));
  await writeSecrets(at('etc/condor'), wish);
  await writeFile(at('etc/condor/condor_mapfile'), mapfile(wish.webPrefix));
  await writeFile(at('etc/condor/tokeep.yaml'), wish.tokeepYaml, { mode: 0o644 });
}

/** The pool's own tokens are its users', and everybody is who they are otherwise. */
const mapfile = (issuer: string): string =>
  [`SCITOKENS /^${issuer.replaceAll('/', '\\/')},([a-z]+)$/ \\1`, 'FS /(.*)/ \\1', 'IDTOKENS /(.*)/ \\1', ''].join(
    '\n',
  );

/** What systemd-tmpfiles makes elsewhere. */
async function madeDirectories(root: string): Promise<void> {
  const owned = ['run/condor', 'lock/condor', 'log/condor', 'spool/condor', 'lib/condor', 'lib/condor/execute'];
  const paths = owned.map((name) => `/var/${name}`);
  const { status, stderr } = await ranInRoot(root, [
    'install',
    '-d',
    '-o',
    'condor',
    '-g',
    'condor',
    '-m',
    '755',
    ...paths,
  ]);
  if (status !== 0) throw new Error(stderr);
}

/** Their homes are new with each run. */
async function madeUsers(root: string): Promise<void> {
  const known = readFileSync(join(root, 'etc/passwd'), 'utf8');
  for (const user of users) {
    await rm(join(root, 'home', user), { recursive: true, force: true });
    if (!known.includes(`\n${user}:`)) await outputOf(['chroot', root, 'useradd', '-M', '-U', '-s', '/bin/bash', user]);
    await cp(join(root, 'etc/skel'), join(root, 'home', user), { recursive: true });
  }
  const script = 'for user; do chown -R "$user:$user" "/home/$user"; chmod 755 "/home/$user"; done';
  await outputOf(['chroot', root, 'sh', '-c', script, 'sh', ...users]);
}

async function writeSecrets(directory: string, { caFile, server }: PoolFiles): Promise<void> {
  const secrets = join(directory, '.secrets');
  await mkdir(secrets, { mode: 0o700 });
  for (const [name, { secret }] of [...Object.entries(services), [robotService.provider, robotService] as const])
    await writeFile(join(secrets, name), `${secret}\n`, { mode: 0o600 });
  await copyFile(caFile, join(directory, 'ca.pem'));
  await copyFile(server.certFile, join(directory, 'server.pem'));
  await copyFile(server.keyFile, join(directory, 'server.key'));
  await chmod(join(directory, 'server.key'), 0o600);
  await copyFile(server.keyFile, join(directory, 'web.key'));
  const { uid, gid } = await stat(join(directory, '../../var/log/condor'));
  await chown(join(directory, 'web.key'), uid, gid);
  await chmod(join(directory, 'web.key'), 0o400);
}

export interface RunningPool extends AsyncDisposable {
  readonly master: ChildProcess;
}

/** Starts condor_master, which starts everything else, and waits for the credd, a slot and the web login. */
export async function startPool(root: string, webPort: number): Promise<RunningPool> {
  const log = openSync(join(root, 'var/log/condor/master.out'), 'a');
  const master = spawn('chroot', [root, '/usr/sbin/condor_master', '-f'], { stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = once(master, 'exit');
  const looking = async () => {
    if (master.exitCode !== null) throw new Error(`condor_master ended with ${master.exitCode}`);
    const { stdout } = await ranInRoot(root, ['condor_status', '-any', '-af', 'MyType']);
    return ['CredD', 'Scheduler', 'Machine'].every((type) => stdout.includes(type)) && (await isOpen(webPort));
  };
  await until('the credd, the schedd, a slot and the web login are there', looking, {
    within: 90,
    explain: () => tailOfLogs(root),
  });
  return {
    master,
    async [Symbol.asyncDispose]() {
      master.kill('SIGTERM');
      const hard = setTimeout(() => master.kill('SIGQUIT'), 20_000);
      await ended;
      clearTimeout(hard);
    },
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
