import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatRequestFile } from '../../src/condor/request-file.ts';
import { PinTable } from '../../src/condor/web/pin-table.ts';
import { SessionTable } from '../../src/condor/web/session-table.ts';
import { openWebDatabase } from '../../src/condor/web/web-schema.ts';
import { millis } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { throwAwayCa } from '../peers/throw-away-ca.ts';
import { loginRequest } from './web-bed.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
const [user, uid] = isRoot ? ['nobody', nobody] : [String(process.getuid?.()), process.getuid?.()];

/** A pool as far as the web login sees it: condor_config_val, and a credential directory. */
async function pool(knobs: (root: string) => Readonly<Record<string, string>>) {
  // Below the home directory, since a program that others could change is not run.
  const bin = await mkdtemp(join(homedir(), '.tokeep-web-bin-'));
  const root = await mkdtemp(join(tmpdir(), 'web-process-'));
  await chmod(root, 0o755);
  const directory = join(root, 'oauth_credentials');
  await mkdir(directory);
  if (isRoot) await chown(directory, 0, nobody);
  await chmod(directory, 0o2770);
  const all = {
    SEC_CREDENTIAL_DIRECTORY_OAUTH: directory,
    FULL_HOSTNAME: 'ap.example.org',
    CREDMON_WEB_PREFIX: 'https://ap.example.org',
    TOKEEP_WEB_USER: user,
    TOKEEP_WEB_STATE: join(root, 'lib', 'web'),
    TOKEEP_WEB_LISTEN: '127.0.0.1:0',
    ...knobs(root),
  };
  const dump = Object.entries(all).map(
    ([name, value]) => `${name} = ${value}\n # at: /etc/condor/condor_config, line 1\n`,
  );
  await writeFile(join(bin, 'dump'), dump.join(''));
  await writeFile(
    join(bin, 'condor_config_val'),
    `#!/bin/sh\ncase "$1" in -config) echo "Configuration source:"; echo "	/etc/condor/condor_config" ;; *) cat "\${0%/*}/dump" ;; esac\n`,
  );
  await chmod(join(bin, 'condor_config_val'), 0o755);
  const words = (...args: readonly string[]) => ['--no-warnings', main, 'credmon', ...args, '--condor-bin', bin];
  return {
    root,
    directory,
    state: all.TOKEEP_WEB_STATE,
    run: (...args: readonly string[]) => spawnSync(process.execPath, words(...args), { encoding: 'utf8' }),
    start: () => spawn(process.execPath, words('web'), { stdio: ['ignore', 'ignore', 'pipe'] }),
    async [Symbol.asyncDispose]() {
      await rm(bin, { recursive: true, force: true });
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The address that it says it serves on. */
async function serving(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  if (child.stderr === null) throw new Error('stderr is not a pipe');
  for await (const line of createInterface(child.stderr)) {
    said.push(line);
    const address = / serves the web login of \S+ on (\S+)$/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`it did not start:\n${said.join('\n')}`);
}

async function ended(child: ChildProcess): Promise<number | null> {
  const end = once(child, 'exit');
  child.kill('SIGTERM');
  return (await end)[0] as number | null;
}

test('started as root it listens as TOKEEP_WEB_USER alone, with its own certificate, and ends when told', async () => {
  await using ca = await throwAwayCa();
  const { certFile, keyFile } = await ca.certificate();
  if (isRoot) await Promise.all([chmod(ca.directory, 0o755), chown(keyFile, nobody, nobody)]);
  await chmod(keyFile, 0o600);
  await using at = await pool(() => ({ TOKEEP_WEB_CERTIFICATE: certFile, TOKEEP_WEB_KEY: keyFile }));
  const child = at.start();
  try {
    const address = await serving(child);
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
    assert.match(status, new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
    if (isRoot) {
      assert.match(status, new RegExp(`^Gid:\t${nobody}\t${nobody}\t${nobody}\t${nobody}$`, 'm'));
      assert.match(status, new RegExp(`^Groups:\t${nobody} ?$`, 'm'));
      assert.match(status, /^CapEff:\t0+$/m);
    }
    const made = await stat(at.state);
    assert.deepEqual([made.uid, made.mode & 0o7777], [uid, 0o700]);
    const key = 'f'.repeat(64);
    const asked = [loginRequest({ prefix: 'https://ap.example.org' }, 'https://issuer.example', 'mytok')];
    await writeFile(join(at.directory, key), formatRequestFile(asked), { mode: 0o644 });
    const { http } = realWorld();
    const answer = await http.send({
      method: 'GET',
      url: new URL(`/key/${key}`, address),
      caFile: ca.caFile,
      timeout: millis(5000),
      maxBytes: 100_000,
      connection: 'fresh',
    });
    assert.ok(answer.kind === 'answer', JSON.stringify(answer));
    assert.equal(answer.status, 200);
    assert.match(answer.body, /I am alice: go on/);
    assert.equal(await ended(child), 0);
    await http.close();
  } finally {
    child.kill('SIGKILL');
  }
});

test('on a Unix socket whoever may open it is the proxy in front', async () => {
  await using at = await pool((root) => ({
    TOKEEP_WEB_LISTEN: `unix:${root}/run/web.sock`,
    TOKEEP_WEB_LOGIN: 'proxy',
    TOKEEP_WEB_TRUSTED_PROXIES: '127.0.0.1',
  }));
  const socketPath = join(at.root, 'run', 'web.sock');
  await mkdir(join(at.root, 'run'));
  if (isRoot) await chown(join(at.root, 'run'), nobody, nobody);
  const key = 'e'.repeat(64);
  const asked = [loginRequest({ prefix: 'https://ap.example.org' }, 'https://issuer.example', 'mytok')];
  await writeFile(join(at.directory, key), formatRequestFile(asked), { mode: 0o644 });
  // What a killed one leaves is in nobody's way.
  for (const end of ['SIGKILL', 'SIGTERM'] as const) {
    const child = at.start();
    try {
      assert.equal(await serving(child), socketPath);
      assert.equal((await stat(socketPath)).mode & 0o7777, 0o660);
      const seen = async (name: string): Promise<string> => {
        const asking = request({ socketPath, path: `/key/${key}`, headers: { 'x-remote-user': name } }).end();
        const [response] = await once(asking, 'response');
        return (await response.toArray()).join('');
      };
      assert.match(await seen('alice'), /You are logged in here as <strong>alice/);
      assert.match(await seen('bob'), /This request is not yours/);
    } finally {
      const gone = once(child, 'exit');
      child.kill(end);
      await gone;
    }
  }
});

test('it does not serve as root, nor in the clear where others can listen', async () => {
  if (isRoot) {
    await using at = await pool(() => ({ TOKEEP_WEB_USER: 'root' }));
    const { status, stderr } = at.run('web');
    assert.equal(status, 3, stderr);
    assert.match(stderr, /the web login does not run as root/);
  }
  await using bare = await pool((root) => ({
    TOKEEP_WEB_LISTEN: '0.0.0.0:0',
    TOKEEP_WEB_LOGIN: 'oidc',
    CREDMON_WEB_LOG: join(root, 'log', 'web.log'),
  }));
  await mkdir(join(bare.root, 'log'));
  if (isRoot) await chown(join(bare.root, 'log'), nobody, nobody);
  const { status, stderr } = bare.run('web');
  assert.equal(status, 3, stderr);
  assert.match(stderr, /0\.0\.0\.0:0 can be reached from elsewhere, and there is no TLS/);
  const log = await readFile(join(bare.root, 'log', 'web.log'), 'utf8');
  assert.match(log, /error web-failed: the web login cannot go on: 0\.0\.0\.0:0 can be reached from elsewhere/);
  assert.match(log, /error web-setting-wrong: TOKEEP_WEB_LOGIN_ISSUER: /);
  assert.equal((await stat(join(bare.root, 'log', 'web.log'))).uid, uid);
});

/** A state directory with what is in it. */
async function giveToNobody(state: string): Promise<void> {
  for (const path of [state, ...(await readdir(state)).map((name) => join(state, name))]) {
    await chown(path, nobody, nobody);
  }
}

test("logins are listed, allowed and forgotten, and the database stays its owner's", async () => {
  await using at = await pool(() => ({}));
  const none = at.run('logins', 'list');
  assert.equal(none.status, 3);
  assert.match(none.stderr, /there is no web login with its state in/);
  const world = realWorld();
  const database = await openWebDatabase(world, at.state);
  const pins = new PinTable(database, world.clock);
  await pins.judge('alice', 'mytok', { issuer: 'https://issuer.example', subject: 'alice@idp' });
  if (isRoot) {
    await chmod(join(at.root, 'lib'), 0o755);
    await giveToNobody(at.state);
  }
  const early = at.run('logins', 'allow', 'alice', 'mytok');
  assert.equal(early.status, 2, early.stderr);
  assert.match(early.stderr, /nobody but alice@idp has tried to log in as alice for mytok/);
  assert.match(at.run('logins', 'list').stdout, /^alice mytok: alice@idp of https:\/\/issuer\.example, since 20/);
  await pins.judge('alice', 'mytok', {
    issuer: 'https://issuer.example',
    subject: 'mallory',
  });
  await database.close();
  const other = at.run('logins', 'allow', 'alice', 'mytok', 'alice@new');
  assert.equal(other.status, 2);
  assert.match(other.stderr, /the last who was refused as alice for mytok is mallory of https:\/\/issuer\.example/);
  assert.match(at.run('logins', 'list').stdout, /^alice mytok: alice@idp/);
  assert.equal(at.run('logins', 'allow', 'alice', 'mytok', 'mallory').status, 0);
  assert.match(at.run('logins', 'list').stdout, /^alice mytok: mallory/);
  const again = at.run('logins', 'forget', 'alice', 'mytok');
  assert.equal(again.status, 0, again.stderr);
  assert.equal(at.run('logins', 'list').stdout, '');
  assert.equal(at.run('logins', 'forget', 'alice', 'mytok').status, 2);
  assert.equal((await stat(join(at.state, 'web.db'))).uid, uid);
});

test('an address that is none is a fault of the configuration, which names the knob', async () => {
  for (const [knob, value] of [
    ['TOKEEP_WEB_LISTEN', 'banana'],
    ['TOKEEP_WEB_TRUSTED_PROXIES', '127.0.0.999'],
  ] as const) {
    await using at = await pool(() => ({ [knob]: value }));
    const { status, stderr } = at.run('web');
    assert.equal(status, 3, stderr);
    assert.ok(stderr.includes(`tokeep: ${knob}: `) && stderr.includes(value), stderr);
  }
});

test('WEB-08: sessions are listed, and those of a user are ended from outside', async () => {
  await using at = await pool(() => ({}));
  const world = realWorld();
  const database = await openWebDatabase(world, at.state);
  const sessions = new SessionTable(database, world);
  const services = [
    { name: 'mytok_rd', provider: 'mytok', issuerOrigin: 'https://x.example', scopes: '', audience: '' },
  ];
  const alice = await sessions.begin({ task: { request: 'f'.repeat(64), user: 'alice', services } }, undefined);
  const bob = await sessions.begin({ person: 'bob' }, undefined);
  if (isRoot) {
    await chmod(join(at.root, 'lib'), 0o755);
    await giveToNobody(at.state);
  }
  const listed = at.run('sessions', 'list');
  assert.match(
    listed.stdout,
    /^alice \(mytok_rd\): since 20\S+, last seen 20\S+\nnobody yet, logged in here as bob: since/,
  );
  assert.ok(![alice, bob].some((id) => listed.stdout.includes(id)));
  const ended = at.run('sessions', 'end', 'alice');
  assert.equal(ended.status, 0, ended.stderr);
  assert.match(ended.stderr, /1 session of alice ended; tokens that are there already stay/);
  assert.equal(await sessions.find(alice), undefined);
  assert.equal((await sessions.find(bob))?.person, 'bob');
  assert.equal(at.run('sessions', 'end', 'alice').status, 2);
  await database.close();
});
