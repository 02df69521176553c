import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { importSPKI, jwtVerify } from 'jose';
import { CredmonLog } from '../../src/cli/credmon-log.ts';
import { writeCondorConfig } from '../peers/condor-config.ts';
import { notifySocket } from '../peers/notify-socket.ts';

const bin = fileURLToPath(new URL('../../bin/', import.meta.url));
const root = process.geteuid?.() === 0;

interface Bed extends AsyncDisposable {
  readonly path: string;
  readonly creds: string;
  readonly log: string;
  /** Credentials of the local issuer, one user each. */
  put(...users: readonly string[]): void;
  use(user: string): string;
  start(args?: readonly string[], env?: Readonly<Record<string, string>>): Credmon;
  /** `tokeep credmon …` beside it. */
  ask(
    ...args: readonly string[]
  ): Promise<{ readonly status: number; readonly stdout: string; readonly stderr: string }>;
}

/** A pool's configuration and credential directory, and the credmon as a package installs it: by a link from somewhere else. */
async function bed(knobs: Readonly<Record<string, string>> = {}): Promise<Bed> {
  // Below the home directory: programs in directories that others write to are not run.
  const path = mkdtempSync(`${homedir()}/.tokeep-credmon-`);
  const creds = join(path, 'creds');
  const log = join(path, 'CredMonOAuthLog');
  mkdirSync(creds);
  chmodSync(creds, 0o2770);
  symlinkSync(join(bin, 'tokeep-credmon'), join(path, 'tokeep-credmon'));
  writeFileSync(join(path, 'tokeep.yaml'), 'metrics:\n  listen: 127.0.0.1:0\n', { mode: 0o600 });
  await writeCondorConfig(join(path, 'bin'), {
    SEC_CREDENTIAL_DIRECTORY_OAUTH: creds,
    CREDMON_OAUTH_LOG: log,
    FULL_HOSTNAME: 'ap.example',
    TOKEEP_CREDMON_STATE: join(path, 'state'),
    TOKEEP_CREDMON_NETWORK_USER: 'nobody',
    TOKEEP_CREDMON_CONFIG: join(path, 'tokeep.yaml'),
    LOCAL_CREDMON_PROVIDER_NAME: 'scitokens',
    LOCAL_CREDMON_ISSUER: 'https://ap.example/vo',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'ce.example',
    LOCAL_CREDMON_PRIVATE_KEY: join(path, 'private.pem'),
    LOCAL_CREDMON_PUBLIC_KEY: join(path, 'public.pem'),
    ...knobs,
  });
  const places = { CONFIGURATION_DIRECTORY: join(path, 'etc') };
  const condorBin = ['--condor-bin', join(path, 'bin')];
  const running = new Set<Credmon>();
  return {
    path,
    creds,
    log,
    put(...users) {
      for (const user of users) {
        mkdirSync(join(creds, user), { mode: 0o700 });
        writeFileSync(join(creds, user, 'scitokens.top'), user, { mode: 0o600 });
      }
    },
    use: (user) => join(creds, user, 'scitokens.use'),
    start(args = [], env = {}) {
      const inherit = { CONDOR_INHERIT: '1 <127.0.0.1:9618> 0 0', CONDOR_PARENT_ID: 'ap:1:1' };
      const started = new Credmon(join(path, 'tokeep-credmon'), [...condorBin, '-v', ...args], {
        ...{ ...places, ...inherit, ...env },
      });
      running.add(started);
      return started;
    },
    async ask(...args) {
      const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<Bed['ask']>>>();
      execFile(join(bin, 'tokeep'), ['credmon', ...args, ...condorBin], { env: places }, (error, stdout, stderr) =>
        resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
      );
      return await promise;
    },
    async [Symbol.asyncDispose]() {
      for (const one of running) await one.kill('SIGKILL');
      rmSync(path, { recursive: true });
    },
  };
}

class Credmon {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  #said = '';
  #heard = Promise.withResolvers<void>();

  constructor(file: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.child = spawn(file, [...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      this.#said += piece;
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    });
    this.ended = once(this.child, 'close').then(() => this.#heard.resolve());
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** What it says next, or said already, that fits. */
  async says(words: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = words.exec(this.#said);
      if (found !== null) return found;
      assert.ok(this.child.exitCode === null && this.child.signalCode === null, this.#said);
      await this.#heard.promise;
    }
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return await this.status();
  }

  async status(): Promise<number | null> {
    await this.ended;
    return this.child.exitCode;
  }
}

/** The sockets of a process that are of the network; those of Unix are none. */
function networkSockets(pid: number): readonly string[] {
  const tables = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'].map((table) => `/proc/${pid}/net/${table}`);
  const inodes = tables.filter(existsSync).flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/)[9]),
  );
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter((file) => inodes.includes(/^socket:\[(\d+)\]$/.exec(file)?.[1] ?? 'none'));
}

test('the credmon keeps a token, looks at once when signalled, listens nowhere, and ends quickly', async () => {
  await using place = await bed();
  place.put('alice');
  using manager = notifySocket();
  const credmon = place.start([], { NOTIFY_SOCKET: manager.name });
  const [, network] = await credmon.says(/the process for the network is (\d+), of user (\w+)/);
  const [, address] = await credmon.says(/metrics are at http:\/\/([\d.:]+)\/metrics/);
  await credmon.says(/delivered alice\/scitokens/);
  assert.equal(readFileSync(join(place.creds, 'pid'), 'utf8').trim(), String(credmon.pid));
  assert.ok(existsSync(join(place.creds, 'CREDMON_COMPLETE')));
  const { access_token: token } = JSON.parse(readFileSync(place.use('alice'), 'utf8')) as { access_token: string };
  assert.match(token, /^eyJ/);
  const metrics = await (await fetch(`http://${address}/metrics`, { headers: { connection: 'close' } })).text();
  assert.match(metrics, /alice\/scitokens/);
  assert.deepEqual(networkSockets(credmon.pid), []);
  assert.equal(networkSockets(Number(network)).length, 1);
  if (root) assert.match(readFileSync(`/proc/${network}/status`, 'utf8'), /^Uid:\t65534\t65534\t65534\t65534$/m);
  assert.match(manager.said(), /READY=1/);
  place.put('bob');
  process.kill(credmon.pid, 'SIGHUP');
  await credmon.says(/delivered bob\/scitokens/);
  assert.equal(await credmon.kill('SIGTERM'), 0);
  assert.match(manager.said(), /STOPPING=1/);
  const log = readFileSync(place.log, 'utf8');
  assert.match(log, /credmon-started: .*\n[\s\S]*stopped: stopped; nothing is under way\n$/);
  assert.ok(!log.includes(token) && !log.includes(token.split('.')[2] as string));
});

test('SIGQUIT and SIGINT end the credmon as well', async () => {
  await using place = await bed();
  for (const signal of ['SIGQUIT', 'SIGINT'] as const) {
    const credmon = place.start();
    await credmon.says(/metrics are at/);
    assert.equal(await credmon.kill(signal), 0, signal);
  }
});

test('SIGHUP is minded by nobody before the program is there to hear it', async () => {
  const path = mkdtempSync(`${homedir()}/.tokeep-start-`);
  try {
    mkdirSync(join(path, 'bin'));
    mkdirSync(join(path, 'dist'));
    for (const name of ['tokeep', 'tokeep-credmon']) copyFileSync(join(bin, name), join(path, 'bin', name));
    const node = join(path, `node_modules/node-linux-${process.arch}/bin`);
    mkdirSync(node, { recursive: true });
    const starter = `#!/bin/sh\nkill -HUP $$\nexec '${process.execPath}' "$@"\n`;
    writeFileSync(join(node, 'node'), starter, { mode: 0o755 });
    const listeners = "process.kill(process.pid, 'SIGHUP'); setTimeout(() => console.error('alive'), 20);";
    for (const name of ['tokeep-credmon', 'main']) writeFileSync(join(path, 'dist', `${name}.js`), listeners);
    for (const [program, ...args] of [['tokeep-credmon'], ['tokeep-credmon', '-v'], ['tokeep', 'credmon', 'web']]) {
      const started = new Credmon(join(path, 'bin', program as string), args, {});
      await started.says(/alive/);
      assert.equal(await started.status(), 0);
    }
    const others = new Credmon(join(path, 'bin', 'tokeep'), ['credmon', 'status'], {});
    await others.ended;
    assert.equal(others.child.signalCode, 'SIGHUP', 'at a terminal that is closed, it ends');
  } finally {
    rmSync(path, { recursive: true });
  }
});

test('the status of credentials is read beside the credmon: whose, what is wrong, and whose turn it is', async () => {
  await using place = await bed({ mytok_CLIENT_ID: 'client', mytok_TOKEN_URL: 'https://issuer.example/token' });
  const before = await place.ask('status');
  assert.equal(before.status, 3);
  assert.match(before.stderr, /no credmon of tokeep has worked here yet/);
  place.put('alice', 'bob');
  writeFileSync(join(place.creds, 'bob', 'mytok.top'), '{"refresh_token": ', { mode: 0o600 });
  const credmon = place.start();
  await credmon.says(/delivered alice\/scitokens/);
  await credmon.says(/delivered bob\/scitokens/);
  const all = await place.ask('status', '--all');
  assert.match(all.stdout, /alice\/scitokens +condor:scitokens +valid/);
  assert.match(all.stdout, /bob\/mytok/);
  const one = await place.ask('status', 'alice/scitokens', '--json');
  assert.equal(one.status, 0, one.stderr);
  const { wishes } = JSON.parse(one.stdout) as { wishes: readonly { name: string; state: string }[] };
  assert.deepEqual(
    wishes.map(({ name, state }) => [name, state]),
    [['alice/scitokens', 'valid']],
  );
  const unfit = await place.ask('status', 'bob/mytok');
  assert.equal(unfit.status, 5, 'the user has to store another one');
  assert.match(
    unfit.stderr,
    /no token is kept for mytok of bob: .*mytok\.top [^;]+\n {2}bob runs: condor_store_cred delete-oauth -s mytok/,
  );
  assert.doesNotMatch(all.stdout, /config check|:1:1/, 'that is for a configuration of our own');
  const unknown = await place.ask('status', 'carol/scitokens');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /there is no token carol\/scitokens/);
  const nagios = await place.ask('status', '--nagios');
  assert.match(nagios.stdout, /^TOKEEP (?!CRITICAL)\w+/);
  credmon.child.kill('SIGTERM');
  await credmon.ended;
  const alone = await place.ask('status', '--nagios');
  assert.deepEqual(
    [alone.status, /^TOKEEP CRITICAL - no credmon runs: the process \d+ of .*pid is gone/.test(alone.stdout)],
    [2, true],
  );
});

test('a provider whose settings are wrong is a fault of the configuration for who looks; the log names the directory of one that is right', async () => {
  await using place = await bed({
    LOCAL_CREDMON_PROVIDER_NAMES: 'good, bad',
    LOCAL_CREDMON_bad_ISSUER: 'http://ap.example',
  });
  const credmon = place.start();
  const [, directory] = await credmon.says(/local-issuer: tokens of good are signed as \S+, by the keys in (\S+)/);
  assert.equal(directory, join(place.path, 'state', 'local', 'good'));
  await credmon.says(/metrics are at/);
  const status = await place.ask('status');
  assert.equal(status.status, 3, status.stdout);
  assert.match(status.stdout, /!! LOCAL_CREDMON_bad_ISSUER/);
  assert.match(status.stdout, /no job has asked for a token yet/);
});

test('the log follows when it is moved away', async () => {
  await using place = await bed();
  const credmon = place.start();
  await credmon.says(/metrics are at/);
  renameSync(place.log, `${place.log}.1`);
  const patience = performance.now() + 20_000;
  for (let round = 0; !existsSync(place.log); round += 1) {
    assert.ok(performance.now() < patience, 'no new log was opened');
    place.put(`user${round}`);
    process.kill(credmon.pid, 'SIGHUP');
    await credmon.says(new RegExp(`delivered user${round}/scitokens`));
  }
  assert.match(readFileSync(`${place.log}.1`, 'utf8'), /credmon-started/);
});

test('another key in the old file signs after condor_reconfig, and one whose mode was mended does, too', async () => {
  await using place = await bed();
  const pem = join(place.path, 'private.pem');
  const publicPem = join(place.path, 'public.pem');
  const putKey = () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(pem, privateKey.export({ type: 'sec1', format: 'pem' }));
    writeFileSync(publicPem, publicKey.export({ type: 'spki', format: 'pem' }));
  };
  putKey();
  chmodSync(pem, 0o644);
  place.put('alice');
  const credmon = place.start();
  await credmon.says(/private\.pem is open to everybody/);
  chmodSync(pem, 0o600);
  process.kill(credmon.pid, 'SIGHUP');
  await credmon.says(/delivered alice\/scitokens/);
  putKey();
  process.kill(credmon.pid, 'SIGHUP');
  await credmon.says(/config-reloaded[\s\S]*config-reloaded/);
  const key = await importSPKI(readFileSync(publicPem, 'utf8'), 'ES256');
  const signed = async (user: string) => {
    place.put(user);
    await credmon.says(new RegExp(`delivered ${user}/scitokens`));
    const { access_token: token } = JSON.parse(readFileSync(place.use(user), 'utf8')) as { access_token: string };
    return await jwtVerify(token, key).then(
      () => true,
      () => false,
    );
  };
  const patience = performance.now() + 10_000;
  // Who holds the issuer open looks at its keys once in a second.
  for (let round = 0; !(await signed(`user${round}`)); round += 1) {
    assert.ok(performance.now() < patience, 'the old key goes on to sign');
  }
});

test('with TOKEEP_USE_JSON changed, .use holds the same token in the other form after condor_reconfig, and back', async () => {
  await using place = await bed();
  place.put('alice');
  const credmon = place.start();
  await credmon.says(/delivered alice\/scitokens/);
  const file = join(place.path, 'bin', 'condor_config');
  const usual = readFileSync(file, 'utf8');
  const { access_token: token } = JSON.parse(readFileSync(place.use('alice'), 'utf8')) as { access_token: string };
  const changed = async (text: string, isAs: (content: string) => boolean) => {
    writeFileSync(file, text);
    process.kill(credmon.pid, 'SIGHUP');
    const patience = performance.now() + 10_000;
    while (!isAs(readFileSync(place.use('alice'), 'utf8'))) {
      assert.ok(performance.now() < patience, 'the .use stayed as it was');
      await setImmediate();
    }
  };
  await changed(`${usual}TOKEEP_USE_JSON = False\n # at: here\n`, (content) => content === `${token}\n`);
  await changed(usual, (content) => content.startsWith('{') && content.includes(token));
});

test('TOKEEP_CREDMON_CONFIG is read again at condor_reconfig: what cannot be worked with is said, and the old one stays', async () => {
  await using place = await bed();
  const condorConfig = join(place.path, 'bin', 'condor_config');
  const usual = readFileSync(condorConfig, 'utf8');
  const named = join(place.path, 'tokeep.yaml');
  const missing = join(place.path, 'missing.yaml');
  const credmon = place.start();
  await credmon.says(/metrics are at/);
  const reconfigure = () => process.kill(credmon.pid, 'SIGHUP');
  writeFileSync(condorConfig, usual.replace(named, missing));
  reconfigure();
  await credmon.says(/kept the old configuration.*TOKEEP_CREDMON_CONFIG names a file.*missing\.yaml.*no such file/);
  writeFileSync(missing, 'metrics:\n  listen: 127.0.0.1:1\n', { mode: 0o600 });
  reconfigure();
  await credmon.says(
    /what the file of TOKEEP_CREDMON_CONFIG says about metrics\.listen is another one by now; that takes a restart/,
  );
  const textfile = join(place.path, 'tokeep.prom');
  const metrics = `metrics:\n  listen: 127.0.0.1:0\n  textfile: ${textfile}\n`;
  writeFileSync(missing, `${metrics}limits: {}\nbanana: 1\n`, { mode: 0o600 });
  reconfigure();
  await credmon.says(/took over/);
  place.put('alice');
  await credmon.says(/delivered alice\/scitokens/);
  const patience = performance.now() + 20_000;
  while (!existsSync(textfile)) {
    assert.ok(performance.now() < patience, 'the new configuration does not hold');
    await setImmediate();
  }
  await credmon.says(/banana/);
});

test('a credential directory that is not there yet is waited for, and one that -c names is not', async () => {
  await using place = await bed();
  rmdirSync(place.creds);
  const named = place.start(['-c', place.creds]);
  assert.equal(await named.status(), 3);
  const stopped = place.start();
  await stopped.says(/creds is not there yet; it is waited for, up to 60 s/);
  assert.equal(await stopped.kill('SIGTERM'), 0);
  const credmon = place.start();
  await credmon.says(/creds is not there yet/);
  mkdirSync(place.creds);
  chmodSync(place.creds, 0o2770);
  place.put('alice');
  await credmon.says(/delivered alice\/scitokens/);
  assert.equal(await credmon.kill('SIGTERM'), 0);
});

test('a word that is no verb is said to be none, and help says where the options and the places are', async () => {
  await using place = await bed();
  const stray = await place.ask('stat');
  assert.deepEqual(
    [stray.status, stray.stderr],
    [2, "tokeep: unknown command 'stat' (did you mean status?)\n  see: tokeep credmon --help\n"],
  );
  const nameless = await place.ask('-n', '');
  assert.equal(nameless.status, 2);
  assert.match(nameless.stderr, /'-n, --name <NAME>' argument '' is invalid/);
  const { stdout } = spawnSync(join(bin, 'tokeep'), ['credmon', '--help'], { encoding: 'utf8' });
  assert.match(stdout, /\(-c, -l, -n, -d, -v\)/);
  assert.match((await place.ask('status', '--help')).stdout, /HTCondor's knobs decide here: TOKEEP_CREDMON_STATE/);
  mkdirSync(join(place.path, 'state'));
  const elsewhere = await place.ask('--config', '/nope.yaml', 'status');
  assert.equal(elsewhere.status, 3);
  assert.match(elsewhere.stderr, /tokeep: --config names a file that cannot be worked with: \/nope\.yaml/);
});

test('condor_master learns from the exit status what went wrong', async () => {
  await using place = await bed();
  const noLog = await place.ask('-l', join(place.path, 'missing', 'log'));
  assert.equal(noLog.status, 44);
  assert.match(noLog.stderr, /the log \S+missing\/log cannot be opened \(ENOENT\)/);
  const started = place.start(['--no-such-option']);
  assert.equal(await started.status(), 99);
  assert.equal(await place.start(['-n', '']).status(), 99);
  chmodSync(place.creds, 0o2775);
  const open = place.start();
  assert.equal(await open.status(), 3);
  chmodSync(place.creds, 0o2770);
  assert.match(readFileSync(place.log, 'utf8'), /credmon-failed: the credmon cannot go on: .*creds/);
  const first = place.start();
  await first.says(/metrics are at/);
  assert.equal(await place.start().status(), 7);
});

test('a user for the network who is not there is named with the knob', async () => {
  // Without root it is ourselves.
  if (!root) return;
  await using place = await bed({ TOKEEP_CREDMON_NETWORK_USER: 'no-such-user' });
  const credmon = place.start();
  assert.equal(await credmon.status(), 5);
  const log = readFileSync(place.log, 'utf8');
  assert.match(log, /the network process is to be of no-such-user: there is no user "no-such-user" on this machine/);
  assert.match(log, /set TOKEEP_CREDMON_NETWORK_USER/);
});

test('a network process that is killed is started again, and the metrics are where they were', async () => {
  await using place = await bed();
  const credmon = place.start();
  const [, first] = await credmon.says(/the process for the network is (\d+)/);
  const [, address] = await credmon.says(/metrics are at http:\/\/([\d.:]+)\/metrics/);
  process.kill(Number(first), 'SIGKILL');
  await credmon.says(/the process for the network ended: killed by SIGKILL; it is started again in/);
  await credmon.says(/started again in[\s\S]*the process for the network is \d+/);
  const patience = performance.now() + 5_000;
  const get = () =>
    fetch(`http://${address}/healthz`, { headers: { connection: 'close' } }).then(({ status }) => status);
  while ((await get().catch(() => 0)) !== 200) assert.ok(performance.now() < patience, 'the metrics are gone');
});

test('the way back to the shipped credmon is shown before it is gone, and what it needed is taken away again', async () => {
  await using place = await bed({ mytok_CLIENT_ID: 'client', mytok_TOKEN_URL: 'https://issuer.example/token' });
  mkdirSync(join(place.creds, 'alice'), { mode: 0o700 });
  writeFileSync(join(place.creds, 'alice', 'mytok.top'), '{"refresh_token": "canary"}', { mode: 0o600 });
  const run = (verb: 'restore-meta' | 'drop-meta', ...args: readonly string[]) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const all = ['condor', verb, '--condor-bin', join(place.path, 'bin'), ...args];
    execFile(join(bin, 'tokeep'), all, { env: {} }, (_, stdout, stderr) => resolve(stdout + stderr));
    return promise;
  };
  const meta = join(place.creds, 'alice', 'mytok.meta');
  assert.equal(await run('restore-meta', '--dry-run'), `${meta} would be written\n`);
  assert.ok(!existsSync(meta));
  assert.equal(await run('restore-meta'), `${meta} is written\n`);
  assert.equal((JSON.parse(readFileSync(meta, 'utf8')) as { client_id: string }).client_id, 'client');
  assert.equal(await run('restore-meta'), `${meta} stays as it is\n`);
  assert.equal(await run('drop-meta', '--dry-run'), `${meta} would be removed\n`);
  assert.ok(existsSync(meta));
  assert.equal(await run('drop-meta'), `${meta} is removed\n`);
  assert.ok(!existsSync(meta));
  assert.equal(await run('drop-meta'), `there is no .meta file in ${place.creds}\n`);
});

test('the log of the credmon is a plain file of one name, and begins anew when it is full', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-log-'));
  const at = (name: string) => join(folder, name);
  try {
    const log = CredmonLog.open(at('log'), 100);
    log.write(`${'x'.repeat(120)}\n`);
    log.look();
    log.write('next\n');
    log.close();
    assert.equal(readFileSync(at('log.old'), 'utf8').length, 121);
    assert.equal(readFileSync(at('log'), 'utf8'), 'next\n');
    const stuck = CredmonLog.open(at('stuck'), 1);
    mkdirSync(join(at('stuck.old'), 'in the way'), { recursive: true });
    stuck.write('one\n');
    t.mock.method(performance, 'now', () => Number.MAX_SAFE_INTEGER);
    stuck.write('two\n');
    t.mock.restoreAll();
    stuck.close();
    assert.equal(readFileSync(at('stuck'), 'utf8'), 'one\ntwo\n', 'what cannot be moved away costs no line');
    symlinkSync(at('log'), at('link'));
    linkSync(at('log'), at('second'));
    mkdirSync(at('directory'));
    for (const [name, why] of [
      ['link', /ELOOP/],
      ['second', /it has several names/],
      ['directory', /EISDIR/],
    ] as const)
      assert.throws(() => CredmonLog.open(at(name), 100), why);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
