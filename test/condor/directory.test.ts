import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { type FoundCredential, openCredentialDirectory } from '../../src/condor/directory.ts';
import { Fault } from '../../src/fault/fault.ts';
import { after, epoch, hours, minutes } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { credentialDirectory, put } from './directory-place.ts';

const world = realWorld();
const isRoot = world.user.uid === 0;
const open = (path: string, specialNames = false, at = world) => openCredentialDirectory(at, path, { specialNames });
const top = '{"refresh_token":"r"}';
const summary = (found: readonly FoundCredential[]) =>
  found.map(({ credential, top, hasUse }) => `${credential.user}/${credential.name} ${top.kind} ${hasUse}`).sort();

const refusal = (work: Promise<unknown>, message: RegExp) =>
  assert.rejects(work, (fault) => {
    assert.ok(fault instanceof Fault);
    assert.equal(fault.code, 'credential-directory-unsafe');
    assert.match(fault.message, message);
    return true;
  });

test('a directory is refused when it is missing, no directory, or open to everybody', async (t) => {
  const directory = credentialDirectory(t);
  await open(directory).check();
  await refusal(open(`${directory}/none`).check(), /does not exist$/);
  writeFileSync(`${directory}/file`, '');
  await refusal(open(`${directory}/file`).check(), /is no directory but a file$/);
  symlinkSync(directory, `${directory}/link`);
  await refusal(open(`${directory}/link`).check(), /is no directory but a link$/);
  for (const mode of [0o771, 0o772, 0o2774]) {
    chmodSync(directory, mode);
    await refusal(open(directory).check(), new RegExp(`its mode is 0?${mode.toString(8)}$`));
  }
  chmodSync(directory, 0o2770);
  await open(directory).check();
});

test('the directory belongs to root, to us, or to whom the directory above belongs to', async (t) => {
  if (!isRoot) return;
  const above = credentialDirectory(t);
  const directory = `${above}/oauth_credentials`;
  mkdirSync(directory, { mode: 0o770 });
  chownSync(directory, 4711, 4711);
  await refusal(open(directory).check(), /belongs to user 4711, not to root$/);
  chownSync(above, 4711, 4711);
  await open(directory).check();
});

test('at the start CREDMON_COMPLETE goes and the pid comes, readable for condor_credd; when all was looked at it comes back', async (t) => {
  const path = credentialDirectory(t);
  const directory = open(path);
  await directory.begin(4711);
  await directory.complete();
  assert.deepEqual(readdirSync(path).sort(), ['CREDMON_COMPLETE', 'pid']);
  assert.equal(readFileSync(`${path}/pid`, 'utf8'), '4711');
  assert.equal(statSync(`${path}/pid`).mode & 0o7777, 0o644);
  await directory.begin(4712);
  assert.deepEqual(readdirSync(path), ['pid']);
  assert.equal(readFileSync(`${path}/pid`, 'utf8'), '4712');
});

test('FIL-03: a link where the pid should be is replaced, and what it leads to stays', async (t) => {
  const path = credentialDirectory(t);
  writeFileSync(`${path}/precious`, 'x');
  symlinkSync(`${path}/precious`, `${path}/pid`);
  await open(path).begin(7);
  assert.ok(statSync(`${path}/pid`).isFile());
  assert.equal(readFileSync(`${path}/precious`, 'utf8'), 'x');
  assert.equal(readFileSync(`${path}/pid`, 'utf8'), '7');
});

test('every .top of every user is found, with what is beside it, and nothing else', async (t) => {
  const path = credentialDirectory(t);
  put(path, 'alice', 'mytok.top', '{"refresh_token":"r1","scopes":"a  b"}');
  put(path, 'alice', 'mytok.use', '{}');
  put(path, 'alice', 'mytok.meta', '{"client_id":"c","token_url":"u"}');
  put(path, 'alice', 'mytok_rd.top', top);
  put(path, 'bob', 'scitokens.top', 'bob');
  put(path, 'bob', 'scitokens.top.tmp', 'half');
  put(path, 'bob', 'loose.use', '{}');
  put(path, 'bob', 'a b.top', top);
  put(path, 'bob', '_h.top', top);
  put(path, 'not fit', 'mytok.top', top);
  writeFileSync(`${path}/stray.top`, top);
  writeFileSync(`${path}/bob.mark`, '');
  mkdirSync(`${path}/empty`);
  const found = await open(path).scan();
  assert.deepEqual(summary(found), [
    'alice/mytok oauth2 true',
    'alice/mytok_rd oauth2 false',
    'bob/scitokens plain false',
  ]);
  const mytok = found.find(({ credential }) => credential.name === 'mytok');
  assert.equal(mytok?.top.kind === 'oauth2' && mytok.top.scopes, 'a  b');
  assert.equal(mytok?.meta?.kind, 'meta');
  const handle = found.find(({ credential }) => credential.name === 'mytok_rd')?.credential;
  assert.deepEqual([handle?.provider, handle?.handle], ['mytok', 'rd']);
  assert.deepEqual(summary(await open(path).scanUser('bob')), ['bob/scitokens plain false']);
  assert.deepEqual(await open(path).scanUser('nobody'), []);
  assert.deepEqual(await open(path).scanUser('../alice'), []);
});

test('with special characters in names there are no handles', async (t) => {
  const path = credentialDirectory(t);
  put(path, 'alice', 'my_tok.top', top);
  const [found] = await open(path, true).scan();
  assert.deepEqual(found?.credential, { user: 'alice', name: 'my_tok', provider: 'my_tok' });
});

test('another file, or other content, has another identity, and the same one has the same', async (t) => {
  const path = credentialDirectory(t);
  const directory = open(path);
  const look = async () => (await directory.scanUser('alice'))[0]?.identity;
  put(path, 'alice', 'a.top', top);
  const first = await look();
  assert.equal(await look(), first);
  put(path, 'alice', 'a.top', top);
  const second = await look();
  assert.notEqual(second, first);
  utimesSync(`${path}/alice/a.top`, 1, 1);
  assert.notEqual(await look(), second);
});

test('FIL-03: links, FIFOs, directories, second hard links, strangers’ and large files are named and not believed', {
  timeout: 5_000,
}, async (t) => {
  const path = credentialDirectory(t);
  const alice = `${path}/alice`;
  put(path, 'alice', 'good.top', top);
  writeFileSync(`${path}/outside`, top);
  symlinkSync(`${path}/outside`, `${alice}/link.top`);
  execFileSync('/usr/bin/mkfifo', [`${alice}/fifo.top`]);
  mkdirSync(`${alice}/dir.top`);
  linkSync(`${path}/outside`, `${alice}/hard.top`);
  put(path, 'alice', 'large.top', ' '.repeat(64 * 1024 + 1));
  put(path, 'alice', 'full.top', `{"refresh_token":"${'x'.repeat(64 * 1024 - 20)}"}`);
  if (isRoot) {
    put(path, 'alice', 'theirs.top', top);
    chownSync(`${alice}/theirs.top`, 4711, 4711);
  }
  symlinkSync(alice, `${path}/carol`);
  const why = new Map(
    (await open(path).scan()).map(({ credential: { user, name }, top }) => [
      `${user}/${name}`,
      top.kind === 'unreadable' ? top.why : top.kind,
    ]),
  );
  assert.deepEqual(Object.fromEntries([...why].sort()), {
    'alice/dir': 'is a directory, not a plain file',
    'alice/fifo': 'is a FIFO, not a plain file',
    'alice/full': 'oauth2',
    'alice/good': 'oauth2',
    'alice/hard': 'has 2 hard links',
    'alice/large': 'is larger than 64 KiB',
    'alice/link': 'is a symbolic link, not a plain file',
    ...(isRoot ? { 'alice/theirs': 'belongs to user 4711, who is not the owner of the directory' } : {}),
  });
});

test('what condor owns in a directory of condor is believed, as the web login writes it', async (t) => {
  if (!isRoot) return;
  const path = credentialDirectory(t);
  put(path, 'alice', 'a.top', top);
  chownSync(`${path}/alice`, 4711, 4711);
  chownSync(`${path}/alice/a.top`, 4711, 4711);
  assert.deepEqual(summary(await open(path).scan()), ['alice/a oauth2 false']);
});

test('a user whose directory we may not read is named, and the others are read', async (t) => {
  if (!isRoot) return;
  const path = credentialDirectory(t);
  chmodSync(path, 0o755);
  put(path, 'alice', 'a.top', top);
  put(path, 'bob', 'a.top', top);
  for (const place of ['/bob', '/bob/a.top']) chownSync(`${path}${place}`, 65_534, 65_534);
  const directory = open(path);
  process.seteuid?.(65_534);
  try {
    assert.deepEqual(summary(await directory.scan()), ['bob/a oauth2 false']);
  } finally {
    process.seteuid?.(0);
  }
  assert.match(
    directory.findings[0]?.message ?? '',
    /^the directory of user alice in .* cannot be read by us \(EACCES\)$/,
  );
  await directory.scan();
  assert.deepEqual(directory.findings, []);
});

test('request files go after twelve hours, leftovers of ours after one, and nothing else goes', async (t) => {
  const path = credentialDirectory(t);
  const directory = open(path);
  const id = 'A'.repeat(22);
  const request = 'a'.repeat(64);
  put(path, 'alice', 'a.top', top);
  mkdirSync(`${path}/${'b'.repeat(64)}`);
  const files = [
    request,
    'pid',
    'CREDMON_COMPLETE',
    'alice.mark',
    'wsgi_session_key',
    `.pid.tokeep-${id}`,
    'A'.repeat(64),
  ];
  for (const file of files) writeFileSync(`${path}/${file}`, '');
  writeFileSync(`${path}/alice/.a.use.tokeep-${id}`, '');
  writeFileSync(`${path}/alice/a.top.tmp`, '');
  const written = epoch(statSync(`${path}/${request}`).ctimeMs);
  const before = readdirSync(path).length;
  await directory.tidy(after(written, minutes(1)));
  assert.equal(readdirSync(path).length, before);
  assert.equal(readdirSync(`${path}/alice`).length, 3);
  await directory.tidy(after(written, hours(2)));
  assert.ok(existsSync(`${path}/${request}`));
  assert.ok(!existsSync(`${path}/.pid.tokeep-${id}`));
  assert.deepEqual(readdirSync(`${path}/alice`).sort(), ['a.top', 'a.top.tmp']);
  await directory.tidy(after(written, hours(12.1)));
  assert.equal(readdirSync(path).length, before - 2);
  assert.ok(!existsSync(`${path}/${request}`));
});

test('a directory that vanishes is told as such, and never as one without users', async (t) => {
  const above = credentialDirectory(t);
  mkdirSync(`${above}/d`, { mode: 0o770 });
  const directory = open(`${above}/d`);
  renameSync(`${above}/d`, `${above}/e`);
  await refusal(directory.scan(), /cannot be read \(ENOENT\)$/);
  await refusal(directory.scanUser('alice'), /cannot be read \(ENOENT\)$/);
  await refusal(directory.begin(1), /nothing could be written/);
  rmSync(`${above}/e`, { recursive: true });
});
