import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type HostileIssuer, hostileIssuer, token } from '../peers/hostile-issuer.ts';
import { assertSentence, type House, house, type Ran, type RunOptions } from './house.ts';

let issuer: HostileIssuer;
before(async () => {
  issuer = await hostileIssuer();
  issuer.always(token());
});
after(() => issuer.stop());

const yaml = (at: House, more = '') => `accounts:
  robot:
    grant: client_credentials
    issuer: ${issuer.issuer}
    client_id: robot
    client_secret: { file: ${at.path('secret')} }
tokens:
  a:
    account: robot
    deliver: [{ file: ${at.path('out/a.token')} }]
${more}`;

async function goodHouse(): Promise<House> {
  const at = await house();
  await at.file('secret', 'a-secret\n');
  await at.file('tokeep.yaml', yaml(at));
  return at;
}

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const root = process.getuid?.() === 0;

interface Bad {
  readonly what: string;
  readonly args: readonly string[];
  readonly status: number;
  readonly says: RegExp;
  readonly options?: RunOptions;
  readonly prepare?: (at: House) => Promise<unknown>;
}

const typed: readonly Bad[] = [
  { what: 'an unknown command', args: ['renwe'], status: 2, says: /renew/ },
  { what: 'an unknown option', args: ['renew', '--forse'], status: 2, says: /--force/ },
  { what: 'an option without its value', args: ['get', 'a', '--audience'], status: 2, says: /--audience/ },
  { what: 'a token that is not there', args: ['get', 'b'], status: 2, says: /b/ },
  { what: 'a name too many', args: ['get', 'a', 'b'], status: 2, says: /./ },
  { what: 'no name at all', args: ['get'], status: 2, says: /NAME/i },
  { what: 'a length that is none', args: ['get', 'a', '--min-lifetime', 'soon'], status: 2, says: /soon/ },
  { what: 'an account that is not there', args: ['account', 'login', 'robt'], status: 2, says: /robt/ },
  { what: 'an address without a port', args: ['run', '--metrics', 'nowhere'], status: 3, says: /nowhere|HOST:PORT/ },
  {
    what: 'a configuration that is not there',
    args: ['status', '--config', '/nowhere/x.yaml'],
    status: 3,
    says: /nowhere/,
  },
  { what: 'a name full of control characters', args: ['get', '\u001b[31mred\u0007'], status: 2, says: /red/ },
];

const found: readonly Bad[] = [
  {
    what: 'a configuration that is a directory',
    prepare: (at) => mkdir(at.path('dir.yaml')),
    args: ['renew', '--config', 'dir.yaml'],
    status: 3,
    says: /dir\.yaml/,
  },
  {
    what: 'a configuration of random bytes',
    prepare: (at) => at.file('tokeep.yaml', Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 7919) % 256))),
    args: ['renew'],
    status: 3,
    says: /tokeep\.yaml/,
  },
  {
    what: 'a configuration of a hundred megabytes',
    prepare: async (at) => {
      await using file = await open(at.path('tokeep.yaml'), 'w');
      await file.truncate(100 * 1024 * 1024);
    },
    args: ['renew'],
    status: 3,
    says: /tokeep\.yaml/,
  },
  {
    what: 'a configuration that is empty',
    prepare: (at) => at.file('tokeep.yaml', ''),
    args: ['get', 'a'],
    status: 2,
    says: /a/,
  },
  {
    what: 'a secret that is not there',
    prepare: (at) => rm(at.path('secret')),
    args: ['renew'],
    status: 3,
    says: /secret file \S+ does not exist/,
  },
  {
    what: 'a secret that everybody can read',
    prepare: (at) => chmod(at.path('secret'), 0o644),
    args: ['renew'],
    status: 3,
    says: /open to everybody/,
  },
  {
    what: 'a state directory that is a file',
    prepare: (at) => at.file('state', 'x'),
    args: ['renew'],
    status: 3,
    says: /state/,
  },
  {
    what: 'a state directory that others can read',
    prepare: (at) => mkdir(at.path('state'), { mode: 0o755 }),
    args: ['renew'],
    status: 3,
    says: /state/,
  },
  {
    what: 'a sealing key that is none',
    prepare: (at) => at.file('etc/seal.key', 'garbage\n'),
    args: ['renew'],
    status: 3,
    says: /sealing key/,
  },
  {
    what: 'a backup that is none',
    prepare: async (at) => {
      await at.file('backup', 'not a backup');
      await at.file('pass', 'a long enough passphrase\n');
    },
    args: ['seal', 'restore', 'backup', '--passphrase-file', 'pass'],
    status: 2,
    says: /backup/,
  },
  ...(root
    ? [
        {
          what: 'a state directory of somebody else',
          prepare: async (at: House) => {
            await mkdir(at.path('state'), { mode: 0o700 });
            await chown(at.path('state'), 65_534, 65_534);
          },
          args: ['renew'],
          status: 3,
          says: /state/,
        },
      ]
    : []),
];

for (const { what, args, status, says, options, prepare } of [...typed, ...found]) {
  test(`${what}: a sentence and ${status}`, async () => {
    await using at = await goodHouse();
    await prepare?.(at);
    const ran = await at.run(args, options);
    assertSentence(ran);
    assert.match(ran.stderr, says);
    assert.ok(!ran.stderr.includes('\u001b') && !ran.stderr.includes('\u0007'), ran.stderr);
    assert.equal(ran.status, status, ran.stderr);
    assert.equal(ran.stdout, '');
  });
}

test('a configuration with a byte order mark and line ends of Windows is read as any other', async () => {
  await using at = await goodHouse();
  await at.file('tokeep.yaml', `\uFEFF${yaml(at).replaceAll('\n', '\r\n')}`);
  await at.file('secret', 'a-secret\r\n');
  const ran = await at.run(['renew']);
  assert.equal(ran.status, 0, ran.stderr);
  const sent = issuer.requests.at(-1)?.headers.authorization ?? '';
  assert.equal(Buffer.from(sent.slice('Basic '.length), 'base64').toString(), 'robot:a-secret');
});

test('without HOME, without any environment, the named places do', async () => {
  await using at = await goodHouse();
  const ran = await at.run(['renew'], { env: { HOME: '', TMPDIR: '', PATH: '' } });
  assert.equal(ran.status, 0, ran.stderr);
});

test('a target that cannot be written holds up nobody, and the token is not lost', async () => {
  await using at = await goodHouse();
  await at.file(
    'tokeep.yaml',
    yaml(at, `  b:\n    account: robot\n    deliver: [{ file: ${at.path('gone/b.token')} }]\n`),
  );
  const ran = await at.run(['renew']);
  assertSentenceOfLog(ran, /gone/);
  assert.ok([4, 5].includes(ran.status ?? -1), ran.stderr);
  assert.equal(await at.read('out/a.token').then((text) => text.trim()), 'opaque-access-token');
  const got = await at.run(['get', 'b']);
  assert.deepEqual([got.status, got.stdout], [0, 'opaque-access-token\n']);
  await mkdir(at.path('gone'), { mode: 0o700 });
  await at.run(['renew', '--force']);
  assert.equal((await at.read('gone/b.token')).trim(), 'opaque-access-token');
});

function assertSentenceOfLog(ran: Ran, says: RegExp): void {
  assert.match(ran.stderr, says);
  assert.doesNotMatch(ran.stderr, /^\s+at /m);
}

test('a full device as standard output: a sentence, and not zero', async () => {
  await using at = await goodHouse();
  await at.run(['renew']);
  await using full = await open('/dev/full', 'w');
  for (const args of [
    ['get', 'a'],
    ['status'],
    ['status', '--json'],
    ['--help'],
    ['config', 'show'],
    ['account', 'list'],
  ]) {
    const ran = await at.run(args, { stdout: full.fd });
    assert.notEqual(ran.status, 0, `${args.join(' ')} says that all is well`);
    assertSentence(ran);
  }
});

test('a reader that has gone ends a command quietly, and a renewal is finished all the same', async () => {
  await using at = await goodHouse();
  for (const command of ['renew --json', 'status --all', 'config show', '--help', 'config schema']) {
    const line = `"${process.execPath}" --no-warnings "${main}" ${command} | true; exit "\${PIPESTATUS[0]}"`;
    const env = { PATH: process.env['PATH'] ?? '', HOME: at.directory, ...placesOf(at) };
    const child = spawn('/bin/bash', ['-c', line], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (part) => {
      stderr += part;
    });
    const [status] = await once(child, 'close');
    assert.doesNotMatch(stderr, /EPIPE|^\s+at /m, command);
    assert.equal(status, 0, `${command}: ${stderr}`);
  }
  assert.equal((await readFile(at.path('out/a.token'), 'utf8')).trim(), 'opaque-access-token');
});

const placesOf = (at: House) => ({
  TOKEEP_CONFIG: at.path('tokeep.yaml'),
  STATE_DIRECTORY: at.path('state'),
  CONFIGURATION_DIRECTORY: at.path('etc'),
});

test('closed standard streams stop no renewal', async () => {
  await using at = await goodHouse();
  const env = { PATH: process.env['PATH'] ?? '', HOME: at.directory, ...placesOf(at) };
  const line = `exec "${process.execPath}" --no-warnings "${main}" renew <&- >&- 2>&-`;
  const child = spawn('/bin/sh', ['-c', line], { env, stdio: 'ignore' });
  const [status] = await once(child, 'close');
  assert.equal(status, 0);
  assert.equal((await stat(at.path('out/a.token'))).mode & 0o777, 0o600);
});
