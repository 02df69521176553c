import assert from 'node:assert/strict';
import { chmod, chown, link, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { test } from 'node:test';
import { dropMeta, type MetaOutcome, restoreMeta } from '../../src/condor/restore-meta.ts';
import type { CredmonSettings } from '../../src/condor/settings.ts';
import { realWorld } from '../../src/world/real-world.ts';

const world = realWorld();
const isRoot = process.getuid?.() === 0;

/** A credential directory with these files, as `user/name`. */
async function bed(files: Readonly<Record<string, unknown>>) {
  const home = await mkdtemp('/tmp/tokeep-meta-');
  const directory = `${home}/creds`;
  await mkdir(directory, { mode: 0o770 });
  const secret = `${home}/secret`;
  await writeFile(secret, 'canary-secret\n', { mode: 0o600 });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(`${directory}/${path.split('/')[0]}`, { recursive: true, mode: 0o700 });
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    await writeFile(`${directory}/${path}`, text, { mode: 0o600 });
  }
  const kinds: Readonly<Record<string, 'oauth2' | 'vault'>> = {
    mytok: 'oauth2',
    lost: 'oauth2',
    open: 'oauth2',
    cms: 'vault',
  };
  const provider = { clientId: 'client-mytok', tokenUrl: 'https://issuer.example.org/token' };
  const settings = {
    directory,
    specialNames: false,
    kindOf: (name: string) => kinds[name],
    oauth2: (name: string) => {
      if (name === 'open') return { provider: name, ...provider };
      const clientSecret = { kind: 'file', path: name === 'lost' ? `${home}/none` : secret } as const;
      return name === 'mytok' || name === 'lost' ? { provider: name, ...provider, clientSecret } : undefined;
    },
  } satisfies Partial<CredmonSettings>;
  return {
    directory,
    settings,
    read: (path: string) => readFile(`${directory}/${path}`, 'utf8'),
    [Symbol.asyncDispose]: () => rm(home, { recursive: true }),
  };
}

const said = (outcomes: readonly MetaOutcome[]) =>
  outcomes.map((one) => `${one.kind} ${basename(one.path)}${one.kind === 'left' ? ` ${one.why}` : ''}`);

const full = {
  client_id: 'client-mytok',
  client_secret: 'canary-secret',
  token_url: 'https://issuer.example.org/token',
  use_refresh_token: true,
};

test('the shipped credmon gets the .meta files it needs, private and owned as the .top file is, and nothing else is touched', async () => {
  await using made = await bed({
    'alice/mytok.top': { refresh_token: 'rt', scopes: 'read:/a, b' },
    'alice/mytok_rd.top': { refresh_token: 'rt-2' },
    'alice/mytok_rd.use': 'at',
    'bob/open.top': { refresh_token: 'rt-3' },
    'bob/cms.top': { vault_token: 't', vault_url: 'https://v' },
    'bob/other.top': { refresh_token: 'rt-4' },
  });
  await writeFile(`${made.directory}/bob.mark`, '');
  if (isRoot) await chown(`${made.directory}/alice/mytok.top`, 1234, 5678);
  const before = await made.read('alice/mytok.top');
  const outcomes = await restoreMeta(world, made.settings, { dryRun: false });
  assert.deepEqual(said(outcomes), ['written mytok.meta', 'written mytok_rd.meta', 'written open.meta']);
  assert.deepEqual(JSON.parse(await made.read('alice/mytok.meta')), full);
  assert.deepEqual(JSON.parse(await made.read('bob/open.meta')), { ...full, client_secret: '' });
  const facts = await lstat(`${made.directory}/alice/mytok.meta`);
  assert.equal(facts.mode & 0o777, 0o400);
  if (isRoot) assert.deepEqual([facts.uid, facts.gid], [1234, 5678]);
  assert.equal(await made.read('alice/mytok.top'), before);
  assert.deepEqual((await readdir(`${made.directory}/alice`)).sort(), [
    'mytok.meta',
    'mytok.top',
    'mytok_rd.meta',
    'mytok_rd.top',
    'mytok_rd.use',
  ]);
  const again = await restoreMeta(world, made.settings, { dryRun: false });
  assert.deepEqual(said(again), ['unchanged mytok.meta', 'unchanged mytok_rd.meta', 'unchanged open.meta']);
  assert.equal((await lstat(`${made.directory}/alice/mytok.meta`)).ino, facts.ino);
});

test('a dry run tells what would be written, and writes nothing', async () => {
  await using made = await bed({ 'alice/mytok.top': { refresh_token: 'rt' } });
  assert.deepEqual(said(await restoreMeta(world, made.settings, { dryRun: true })), ['written mytok.meta']);
  assert.deepEqual(await readdir(`${made.directory}/alice`), ['mytok.top']);
});

test('an outdated client is replaced, and so is the note of an older login that brought no refresh token', async () => {
  await using made = await bed({
    'alice/mytok.top': { refresh_token: 'rt' },
    'alice/mytok.meta': { ...full, client_secret: 'old' },
    'bob/mytok.top': { refresh_token: 'rt' },
    'bob/mytok.meta': { ...full, use_refresh_token: false },
    'carol/mytok.top': { refresh_token: '' },
    'carol/mytok.meta': { ...full, use_refresh_token: false },
  });
  assert.deepEqual(said(await restoreMeta(world, made.settings, { dryRun: false })), [
    'written mytok.meta',
    'written mytok.meta',
    'left mytok.meta is not written: the .top file beside it has an empty refresh_token',
  ]);
  assert.deepEqual(JSON.parse(await made.read('alice/mytok.meta')), full);
  assert.deepEqual(JSON.parse(await made.read('bob/mytok.meta')), full);
  assert.equal(JSON.parse(await made.read('carol/mytok.meta')).use_refresh_token, false);
});

test('what the shipped credmon cannot keep is named, and one that fails stops no other', async () => {
  await using made = await bed({
    'alice/lost.top': { refresh_token: 'rt' },
    'alice/mytok.top': '{broken',
    'alice/mytok_job1.top': { scopes: 'read:/a' },
    'bob/kit.top': { mytoken: 'mt', mytoken_server: 'https://m.example' },
    'carol/mytok.top': { refresh_token: 'rt' },
  });
  const outcomes = await restoreMeta(world, made.settings, { dryRun: false });
  assert.deepEqual(said(outcomes), [
    'failed lost.meta',
    'left mytok.meta is not written: the .top file beside it is not JSON',
    'left mytok_job1.meta is not written: the shipped credmon knows no handles without a refresh token',
    'left kit.meta is not written: the shipped credmon knows no mytokens',
    'written mytok.meta',
  ]);
  const [failed] = outcomes;
  assert.match(failed?.kind === 'failed' ? failed.fault.message : '', /none does not exist$/);
});

test('FIL-03: nothing is read or written through a link', async () => {
  await using made = await bed({
    'alice/mytok.top': { refresh_token: 'rt' },
    'bob/mytok.top': { refresh_token: 'rt' },
  });
  const outside = `${made.directory}/../outside`;
  await writeFile(outside, 'precious', { mode: 0o600 });
  await symlink(outside, `${made.directory}/alice/mytok.meta`);
  await symlink(`${made.directory}/bob`, `${made.directory}/carol`);
  await mkdir(`${made.directory}/dave`);
  await symlink(`${made.directory}/bob/mytok.top`, `${made.directory}/dave/mytok.top`);
  const outcomes = await restoreMeta(world, made.settings, { dryRun: false });
  assert.equal(await readFile(outside, 'utf8'), 'precious');
  assert.deepEqual(said(outcomes), ['failed mytok.top', 'written mytok.meta', 'failed mytok.top']);
  assert.deepEqual(await readdir(`${made.directory}/dave`), ['mytok.top']);
  const [ofMeta] = outcomes;
  assert.match(
    ofMeta?.kind === 'failed' ? ofMeta.fault.message : '',
    /alice\/mytok\.meta could not be read: it is a link/,
  );
});

test('a copy of what the configuration says is taken away, and what says more stays', async () => {
  await using made = await bed({
    'alice/mytok.top': { refresh_token: 'rt' },
    'alice/mytok.meta': full,
    'bob/mytok.top': { refresh_token: 'rt' },
    'bob/mytok.meta': { ...full, client_id: 'another' },
    'carol/mytok.top': { refresh_token: '' },
    'carol/mytok.meta': { ...full, use_refresh_token: false },
    'dave/mytok.top': { refresh_token: 'rt' },
    'dave/mytok.meta': { ...full, use_refresh_token: false },
  });
  const stays = "left mytok.meta stays: it says something else than HTCondor's configuration";
  const planned = await dropMeta(world, made.settings, { dryRun: true });
  const ends = 'left mytok.meta stays: it says that the login brought no refresh token';
  assert.deepEqual(said(planned), ['removed mytok.meta', stays, ends, 'removed mytok.meta']);
  assert.deepEqual(await dropMeta(world, made.settings, { dryRun: false }), planned);
  assert.deepEqual(await readdir(`${made.directory}/alice`), ['mytok.top']);
  for (const user of ['bob', 'carol']) assert.ok((await made.read(`${user}/mytok.meta`)).includes('canary'));
  const back = await restoreMeta(world, made.settings, { dryRun: false });
  assert.equal(said(back)[0], 'written mytok.meta');
  assert.deepEqual(JSON.parse(await made.read('alice/mytok.meta')), full);
});

test('no secret is left beside a login that was deleted, and what belongs to another credmon is not touched', async () => {
  await using made = await bed({
    'alice/mytok.meta': full,
    'alice/mytok_rd.meta': { ...full, use_refresh_token: false },
    'bob/mytok.top': '{broken',
    'bob/mytok.meta': full,
    'bob/cms.meta': full,
  });
  assert.deepEqual(await restoreMeta(world, { ...made.settings, oauth2: () => undefined }, { dryRun: false }), [
    {
      kind: 'left',
      path: `${made.directory}/bob/mytok.meta`,
      why: 'is not written: the .top file beside it is not JSON',
    },
  ]);
  assert.deepEqual(said(await dropMeta(world, made.settings, { dryRun: false })), [
    'removed mytok.meta',
    'removed mytok_rd.meta',
    'removed mytok.meta',
  ]);
  assert.deepEqual(await readdir(`${made.directory}/alice`), []);
  assert.deepEqual((await readdir(`${made.directory}/bob`)).sort(), ['cms.meta', 'mytok.top']);
});

test('a hard link to a .meta file elsewhere keeps its content: the file is replaced, not written to', async () => {
  await using made = await bed({ 'alice/mytok.top': { refresh_token: 'rt' }, 'alice/mytok.meta': '{}' });
  await link(`${made.directory}/alice/mytok.meta`, `${made.directory}/../other`);
  await chmod(`${made.directory}/alice/mytok.meta`, 0o600);
  assert.deepEqual(said(await restoreMeta(world, made.settings, { dryRun: false })), ['written mytok.meta']);
  assert.equal(await readFile(`${made.directory}/../other`, 'utf8'), '{}');
});

test('a credential directory that is not there is said', async () => {
  await using made = await bed({});
  const gone = { ...made.settings, directory: `${made.directory}/none` };
  await assert.rejects(restoreMeta(world, gone, { dryRun: false }), /none could not be read: ENOENT$/);
});
