import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { AgentAccount, writeAgentAccount } from '../../src/acquire/oidc-agent-file.ts';
import { targetDirectory } from '../../src/cli/setup/plan.ts';
import { Secret } from '../../src/token/secret.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { hostileIssuer } from '../peers/hostile-issuer.ts';
import type { KnownClient } from '../peers/issuer-config.ts';
import { type RunningIssuer, startIssuer } from '../peers/start-issuer.ts';
import { throwAwayCa } from '../peers/throw-away-ca.ts';
import { type Bench, bench } from './setup-peer.ts';

const robot: KnownClient = {
  client_id: 'robot-1',
  client_secret: 'robot-canary-0123456789abcdefghijklmnopqrst',
  grant_types: ['client_credentials'],
};
const person: KnownClient = {
  client_id: 'person-1',
  client_secret: 'person-canary-0123456789abcdefghijklmnopqrs',
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
};

let issuer: RunningIssuer;
before(async () => {
  issuer = await startIssuer({ clients: [robot, person] });
});
after(() => issuer.stop());

/** As nobody in particular: a test that runs as root stays root. */
const stay = process.getuid?.() === 0 ? ['--user', 'root'] : [];
const places = (at: Bench) => ['--config', at.path('tokeep.yaml'), '--state', at.path('state')];
const setUp = (at: Bench, ...args: string[]) => ['setup', ...places(at), ...stay, '--issuer', issuer.issuer, ...args];

test('client credentials: a trial token is fetched, the section is shown and written, comments stay', async () => {
  await using at = await bench();
  await at.file(
    'tokeep.yaml',
    '# the accounts of this host\naccounts:\n  # an older one\n  old: { grant: oidc_agent }\n',
  );
  const secret = await at.file('secret', `${robot.client_secret}\n`);
  const args = ['--client-credentials', '--client-id', 'robot-1', '--client-secret-file', secret, '--yes', 'pilot'];
  const ran = await at.run('main', setUp(at, ...args));
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stderr, /gave a trial token, good for 3600 s/);
  const yaml = await readFile(at.path('tokeep.yaml'), 'utf8');
  assert.match(yaml, /# the accounts of this host[\s\S]*# an older one/);
  assert.match(yaml, /pilot:\n {4}grant: client_credentials\n {4}issuer: http/);
  assert.ok(ran.stderr.includes(`client_secret:\n      file: ${secret}`));
  const checked = await at.run('main', ['config', 'check', '--config', at.path('tokeep.yaml')]);
  assert.equal(checked.status, 0, checked.stderr);
});

test('a wrong client secret is found out by the trial, and nothing is written', async () => {
  await using at = await bench();
  const secret = await at.file('secret', 'wrong-canary\n');
  const args = ['--client-credentials', '--client-id', 'robot-1', '--client-secret-file', secret, '--yes', 'pilot'];
  const ran = await at.run('main', setUp(at, ...args));
  assert.equal(ran.status, 5, ran.stderr);
  await assert.rejects(stat(at.path('tokeep.yaml')), { code: 'ENOENT' });
});

test('without a terminal nothing is asked: the missing option is named, one after the other, exit 2', async () => {
  await using at = await bench();
  const secret = await at.file('secret', `${robot.client_secret}\n`);
  const steps: [string[], RegExp][] = [
    [['--client-credentials', 'pilot'], /--client-id is missing/],
    [['--client-credentials', '--client-id', 'robot-1', 'pilot'], /--client-secret-file is missing/],
    [['--client-credentials', '--client-id', 'robot-1', '--client-secret-file', secret, 'pilot'], /--yes is missing/],
    [['pilot'], /--scope is missing/],
    [['--manual', 'pilot'], /--client-id is missing/],
  ];
  for (const [args, expected] of steps) {
    const ran = await at.run('main', setUp(at, ...args), { input: 'y\n' });
    assert.match(ran.stderr, expected);
    assert.equal(ran.status, 2, ran.stderr);
  }
  const nothing = await at.run('main', ['setup', ...places(at), ...stay, 'pilot']);
  assert.match(nothing.stderr, /--issuer is missing/);
  await assert.rejects(stat(at.path('tokeep.yaml')), { code: 'ENOENT' });
});

test('a client registers itself, somebody logs in by the device flow, and the account is ready', async () => {
  await using at = await bench();
  const args = ['--scope', 'openid offline_access storage.read:/', '--yes', 'robot'];
  const ran = await at.run('main', setUp(at, ...args), { approves: true });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stderr, /enter the code: [A-Z]{4}-[A-Z]{4}/);
  assert.match(ran.stderr, /registered the client \S+ at http\S+\n/);
  assert.match(ran.stderr, /robot is logged in/);
  const yaml = await readFile(at.path('tokeep.yaml'), 'utf8');
  assert.match(yaml, /robot:\n {4}grant: refresh_token\n {4}issuer: http/);
  assert.doesNotMatch(yaml, /client/);
  const list = await at.run('main', ['account', 'list', '--json', ...places(at)]);
  assert.equal(list.status, 0, list.stderr);
  const [line] = JSON.parse(list.stdout);
  assert.deepEqual([line.name, line.login, line.issuer], ['robot', 'ready', issuer.issuer]);
  const again = await at.run('main', ['account', 'login', 'robot', ...places(at)], { approves: true });
  assert.equal(again.status, 0, again.stderr);
  const revoked = await at.run('main', ['account', 'revoke', 'robot', ...places(at)]);
  assert.equal(revoked.status, 0, revoked.stderr);
  const after = await at.run('main', ['account', 'list', ...places(at)]);
  assert.match(after.stdout, /robot +refresh_token +http\S+ +none/);
});

test('a client that exists already logs in with its secret from a file, which only the configuration names', async () => {
  await using at = await bench();
  const secret = await at.file('secret', `${person.client_secret}\n`);
  const client = ['--client-id', 'person-1', '--client-secret-file', secret, '--flow', 'device'];
  const ran = await at.run('main', setUp(at, ...client, '--scope', 'openid offline_access', '--yes', 'p'), {
    approves: true,
  });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(await readFile(at.path('tokeep.yaml'), 'utf8'), /client_id: person-1/);
  assert.doesNotMatch(ran.stderr, /registered the client/);
});

test('a refresh token is taken in from a file without being spent', async () => {
  await using at = await bench();
  const token = await at.file('rt', 'refresh-canary\n');
  const args = ['--refresh-token-file', token, '--client-id', 'person-1', '--yes', 'taken'];
  const ran = await at.run('main', setUp(at, ...args));
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stderr, /delete the file it came from/);
  assert.doesNotMatch(ran.stderr, /replaces/);
  const list = await at.run('main', ['account', 'list', ...places(at)]);
  assert.match(list.stdout, /taken +refresh_token +http\S+ +ready/);
});

test('an account that is there already is replaced, and setup says so before it asks', async () => {
  await using at = await bench();
  await at.file('tokeep.yaml', 'accounts: { taken: { grant: oidc_agent } }\n');
  const token = await at.file('rt', 'refresh-canary\n');
  const args = ['--refresh-token-file', token, '--client-id', 'person-1', 'taken'];
  const ran = await at.run('main', setUp(at, ...args));
  assert.match(ran.stderr, /This replaces accounts\.taken,.*--yes is missing/s);
});

test('an account that is still configured is not removed; one that is not is set aside, then forgotten', async () => {
  await using at = await bench();
  const token = await at.file('rt', 'refresh-canary\n');
  const args = ['--refresh-token-file', token, '--client-id', 'person-1', '--yes', 'taken'];
  await at.run('main', setUp(at, ...args));
  const refused = await at.run('main', ['account', 'remove', 'taken', ...places(at)]);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /still in .*tokeep.yaml/);
  await at.file('tokeep.yaml', 'accounts: { other: { grant: oidc_agent } }\n');
  const parked = await at.run('main', ['account', 'remove', 'taken', ...places(at)]);
  assert.equal(parked.status, 0, parked.stderr);
  const gone = await at.run('main', ['account', 'remove', 'taken', '--forget', ...places(at)]);
  assert.equal(gone.status, 0, gone.stderr);
  const unknown = await at.run('main', ['account', 'remove', 'takn', ...places(at)]);
  assert.equal(unknown.status, 2);
});

test('an issuer written without its last slash, or with one too many, is mended to its own name', async () => {
  await using at = await bench();
  const secret = await at.file('secret', `${robot.client_secret}\n`);
  const client = ['--client-credentials', '--client-id', 'robot-1', '--client-secret-file', secret, '--yes', 'p'];
  const ran = await at.run('main', ['setup', ...places(at), ...stay, '--issuer', `${issuer.issuer}/`, ...client]);
  assert.equal(ran.status, 0, ran.stderr);
  assert.ok((await readFile(at.path('tokeep.yaml'), 'utf8')).includes(`issuer: ${issuer.issuer}\n`));
});

test('root becomes the service’s user before state is written, the second time too; anybody else may not name one', async () => {
  await using at = await bench();
  await chmod(at.directory, 0o755);
  await mkdir(at.path('etc'), { mode: 0o755 });
  const token = await at.file('rt', 'refresh-canary\n');
  const client = ['--refresh-token-file', token, '--client-id', 'person-1', '--yes', '--user', 'nobody'];
  const env = { CONFIGURATION_DIRECTORY: at.path('etc') };
  const args = ['setup', ...places(at), '--issuer', issuer.issuer, ...client];
  const ran = await at.run('main', [...args, 'one'], { env });
  if (process.getuid?.() !== 0) {
    assert.equal(ran.status, 2);
    return;
  }
  assert.equal(ran.status, 0, ran.stderr);
  const second = await at.run('main', [...args, 'two'], { env });
  assert.equal(second.status, 0, second.stderr);
  assert.match(second.stderr, /took the refresh token of two in/);
  const nobody = (await stat(at.path('state'))).uid;
  assert.notEqual(nobody, 0);
  for (const name of ['etc/seal.key', ...(await readdir(at.path('state'))).map((name) => `state/${name}`)]) {
    assert.equal((await stat(at.path(name))).uid, nobody, name);
  }
  const { uid, mode } = await stat(at.path('tokeep.yaml'));
  assert.deepEqual([uid, mode & 0o777], [0, 0o640]);
});

test('root is warned of a secret that the service’s user may not read', async () => {
  if (process.getuid?.() !== 0) return;
  await using at = await bench();
  await chmod(at.directory, 0o755);
  await mkdir(at.path('etc'), { mode: 0o755 });
  const secret = await at.file('secret', `${robot.client_secret}\n`);
  const client = ['--client-credentials', '--client-id', 'robot-1', '--client-secret-file', secret, '--user', 'nobody'];
  const args = ['setup', ...places(at), '--issuer', issuer.issuer, ...client, '--yes', 'pilot'];
  const env = { CONFIGURATION_DIRECTORY: at.path('etc') };
  const ran = await at.run('main', args, { env });
  assert.equal(ran.status, 0, ran.stderr);
  assert.ok(ran.stderr.includes(`the user nobody, who renews, may not read ${secret}`), ran.stderr);
  await chmod(secret, 0o640);
  await chown(secret, 0, (await stat(at.path('state'))).gid);
  const readable = await at.run('main', args, { env });
  assert.equal(readable.status, 0, readable.stderr);
  assert.doesNotMatch(readable.stderr, /may not read/);
});

test('tokens are proposed to go where whoever asks may write', () => {
  const env = { HOME: '/home/me' };
  assert.equal(targetDirectory({ user: { uid: 0, gid: 0 }, env }), '/run/tokeep');
  assert.equal(targetDirectory({ user: { uid: 7, gid: 7 }, env }), '/home/me/tokens');
  const session = { ...env, XDG_RUNTIME_DIR: '/run/user/7' };
  assert.equal(targetDirectory({ user: { uid: 7, gid: 7 }, env: session }), '/run/user/7/tokeep');
});

test('an issuer that is no URL is a mistake of the command line; plain http and CAs that do not fit, one of the configuration', async () => {
  await using at = await bench();
  await using ca = await throwAwayCa();
  await using safe = await hostileIssuer({ tls: await ca.certificate() });
  const url = new URL(safe.tokenUrl).origin;
  const empty = await at.file('empty.pem', 'nothing\n');
  const steps: [string[], number, RegExp][] = [
    [['--issuer', 'notaurl'], 2, /the issuer "notaurl" is not a URL/],
    [['--issuer', 'http://issuer.test/'], 3, /is not an https URL/],
    [['--issuer', url], 3, /a CA that is not trusted here.*--ca-file FILE/s],
    [['--issuer', url, '--ca-file', at.path('nope.pem')], 2, /there is no file \S+nope\.pem/],
    [['--issuer', url, '--ca-file', empty], 2, /empty\.pem holds no certificate\n.*--ca-file/],
  ];
  for (const [args, status, expected] of steps) {
    const ran = await at.run('main', ['setup', ...places(at), ...stay, ...args, '--yes', 'pilot']);
    assert.match(ran.stderr, expected);
    assert.equal(ran.status, status, ran.stderr);
  }
});

test('OSG’s format is not written, and an unfit name is refused', async () => {
  await using at = await bench();
  await at.file('config.ini', '[account a]\npassword_file = /x\n');
  const ini = await at.run('main', ['setup', 'x', '--config', at.path('config.ini'), ...stay]);
  assert.equal(ini.status, 2);
  assert.match(ini.stderr, /config convert/);
  const name = await at.run('main', ['setup', 'a/b', ...places(at), ...stay]);
  assert.equal(name.status, 2);
});

test('an account of oidc-agent 4, whose issuer got a slash at its end, is imported with the issuer’s own name', async () => {
  await using at = await bench();
  const world = realWorld();
  const document = {
    name: 'robot',
    issuer_url: `${issuer.issuer}/`,
    client_id: 'person-1',
    refresh_token: 'rt-canary',
  };
  const password = new Secret('password', 'password canary');
  const text = await writeAgentAccount(new AgentAccount(document, '4.5.2'), password, world.random);
  const file = await at.file('agent-account', text);
  const args = ['--import-oidc-agent', file, '--pw-file', await at.file('pw', 'password canary\n'), '--yes', 'robot'];
  const ran = await at.run('main', ['setup', ...places(at), ...stay, ...args]);
  assert.equal(ran.status, 0, ran.stderr);
  const yaml = await readFile(at.path('tokeep.yaml'), 'utf8');
  assert.ok(yaml.includes(`issuer: ${issuer.issuer}\n`), yaml);
});
