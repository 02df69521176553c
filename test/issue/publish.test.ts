import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { type PublishWish, publishSite } from '../../src/issue/publish.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import type { Directory, OpenFile } from '../../src/world/files.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import { emptyDirectory, filesBelow, signingKey, url } from './site-peer.ts';

const world = realWorld();

const wishFor = (directory: string, more: Partial<PublishWish> = {}): PublishWish => ({
  url,
  keys: [signingKey('k1')],
  directory,
  servedAt: '/',
  prune: false,
  dryRun: false,
  ...more,
});

const json = async (directory: string, path: string): Promise<Record<string, never>> =>
  JSON.parse(await readFile(join(directory, path), 'utf8'));
const kidsIn = async (directory: string, path = 'vo/oauth2/certs'): Promise<readonly string[]> =>
  ((await json(directory, path))['keys'] as unknown as { kid: string }[]).map(({ kid }) => kid);
const faultOf = (code: string, words: RegExp) => (thrown: unknown) =>
  thrown instanceof Fault && thrown.code === code && words.test(thrown.message);

async function write(directory: string, path: string, text: string): Promise<void> {
  await mkdir(join(directory, path, '..'), { recursive: true });
  await writeFile(join(directory, path), text);
}

test('a site has the metadata where verifiers look, the keys, their twins for static hosts, and a page for people', async (t) => {
  const directory = await emptyDirectory(t);
  const published = await publishSite(world, wishFor(directory));
  assert.deepEqual(await filesBelow(directory), [
    '.well-known/oauth-authorization-server/vo',
    '.well-known/openid-configuration/vo',
    'vo/.well-known/oauth-authorization-server',
    'vo/.well-known/openid-configuration',
    'vo/.well-known/openid-configuration.json',
    'vo/index.html',
    'vo/oauth2/certs',
    'vo/oauth2/certs.json',
  ]);
  const metadata = { issuer: url, jwks_uri: `${url}/oauth2/certs` };
  for (const { path } of published.changes.filter(({ path }) => path.includes('.well-known')))
    assert.deepEqual(await json(directory, path), metadata, path);
  const [key] = (await json(directory, 'vo/oauth2/certs.json'))['keys'] as unknown as Record<string, string>[];
  assert.deepEqual(Object.keys(key ?? {}), ['kty', 'crv', 'x', 'y', 'kid', 'alg', 'use']);
  assert.equal((await stat(join(directory, 'vo/oauth2/certs'))).mode & 0o777, 0o644);
  assert.deepEqual(published.remarks, []);
});

test('an issuer without a path lies at the root, and one with a slash at its end keeps it in its name only', async (t) => {
  const directory = await emptyDirectory(t);
  await publishSite(world, wishFor(directory, { url: 'https://issuer.example' as IssuerUrl }));
  assert.equal((await json(directory, '.well-known/openid-configuration'))['issuer'], 'https://issuer.example');
  await rm(directory, { recursive: true });
  await publishSite(world, wishFor(directory, { url: 'https://issuer.example/vo/' as IssuerUrl }));
  assert.deepEqual(await json(directory, 'vo/.well-known/openid-configuration'), {
    issuer: 'https://issuer.example/vo/',
    jwks_uri: 'https://issuer.example/vo/oauth2/certs',
  });
});

test('published again nothing is written, and a changed key changes the key set and the page alone', async (t) => {
  const directory = await emptyDirectory(t);
  const keys = [signingKey('k1')];
  await publishSite(world, wishFor(directory, { keys }));
  const inodes = async () =>
    Promise.all((await filesBelow(directory)).map(async (path) => (await stat(join(directory, path))).ino));
  const before = await inodes();
  const again = await publishSite(world, wishFor(directory, { keys }));
  assert.deepEqual(await inodes(), before);
  assert.deepEqual(new Set(again.changes.map(({ what }) => what)), new Set(['unchanged']));

  const later = await publishSite(world, wishFor(directory, { keys: [...keys, signingKey('k2', 'next')] }));
  const changed = later.changes.filter(({ what }) => what === 'changed').map(({ path }) => path);
  assert.deepEqual(changed, ['vo/oauth2/certs', 'vo/oauth2/certs.json', 'vo/index.html']);
});

test('two access points share a key set: each keeps the key of the other, and takes away its own when it is removed', async (t) => {
  const directory = await emptyDirectory(t);
  const [one, other] = [signingKey('b-one'), signingKey('a-other')];
  await publishSite(world, wishFor(directory, { keys: [one] }));
  const second = await publishSite(world, wishFor(directory, { keys: [other] }));
  assert.deepEqual(second.kept, ['b-one']);
  assert.deepEqual(await kidsIn(directory), ['a-other', 'b-one']);
  const before = await readFile(join(directory, 'vo/oauth2/certs'), 'utf8');
  await publishSite(world, wishFor(directory, { keys: [one] }));
  assert.equal(await readFile(join(directory, 'vo/oauth2/certs'), 'utf8'), before);

  const next = signingKey('c-next');
  const third = await publishSite(world, wishFor(directory, { keys: [{ ...one, state: 'removed' }, next] }));
  assert.deepEqual(third.dropped, ['b-one']);
  assert.deepEqual(await kidsIn(directory), ['a-other', 'c-next']);
  const pruned = await publishSite(world, wishFor(directory, { keys: [next], prune: true }));
  assert.deepEqual([pruned.dropped, await kidsIn(directory)], [['a-other'], ['c-next']]);
});

test('keys and metadata that lie in the .json files alone, as many static hosts have them, stay as well', async (t) => {
  const directory = await emptyDirectory(t);
  const [theirs, ours] = [signingKey('theirs'), signingKey('ours')];
  const metadata = { issuer: url, jwks_uri: `${url}/oauth2/certs`, token_endpoint: `${url}/token` };
  await write(directory, 'vo/.well-known/openid-configuration.json', JSON.stringify(metadata));
  await write(directory, 'vo/oauth2/certs.json', JSON.stringify({ keys: [theirs.jwk] }));
  const first = await publishSite(world, wishFor(directory, { keys: [ours] }));
  assert.deepEqual([first.kept, first.remarks], [['theirs'], []]);
  for (const path of ['vo/oauth2/certs', 'vo/oauth2/certs.json'])
    assert.deepEqual(await kidsIn(directory, path), ['ours', 'theirs'], path);
  assert.deepEqual(await json(directory, 'vo/.well-known/openid-configuration'), metadata);

  // Somebody adds a key by hand, to the file that is known to be served.
  const added = JSON.stringify({ keys: [theirs.jwk, ours.jwk, signingKey('by-hand').jwk] });
  await write(directory, 'vo/oauth2/certs.json', added);
  const second = await publishSite(world, wishFor(directory, { keys: [ours] }));
  assert.deepEqual(await kidsIn(directory), ['by-hand', 'ours', 'theirs']);
  assert.match(second.remarks.join(), /certs\.json held keys that vo\/oauth2\/certs did not/);
  const pruned = await publishSite(world, wishFor(directory, { keys: [ours], prune: true }));
  assert.deepEqual(pruned.dropped, ['by-hand', 'theirs']);
  assert.deepEqual(await kidsIn(directory, 'vo/oauth2/certs.json'), ['ours']);
});

test('two access points that publish at the same moment lose neither key', async (t) => {
  const directory = await emptyDirectory(t);
  const keys = ['k1', 'k2', 'k3'].map((kid) => signingKey(kid));
  await publishSite(world, wishFor(directory, { keys: keys.slice(0, 1) }));
  // The other one writes after we looked and before our rename.
  let others = false;
  const disturbed = withBeforeRename(async (name) => {
    if (name !== 'certs' || others) return;
    others = true;
    await publishSite(world, wishFor(directory, { keys: keys.slice(1, 2) }));
  });
  await publishSite(disturbed, wishFor(directory, { keys: keys.slice(2) }));
  assert.ok(others);
  assert.deepEqual(await kidsIn(directory), ['k1', 'k2', 'k3']);
});

test('a key that another access point puts there as soon as we have read the set is not lost', async (t) => {
  const directory = await emptyDirectory(t);
  const keys = ['k1', 'k2', 'k3'].map((kid) => signingKey(kid));
  await publishSite(world, wishFor(directory, { keys: keys.slice(0, 1) }));
  let others = false;
  const disturbed = withWrapped({
    async open(at, name, use) {
      const file = await at.open(name, use);
      const read: OpenFile['read'] = async (most) => {
        const bytes = await file.read(most);
        if (name === 'certs.json' && !others) {
          others = true;
          await publishSite(world, wishFor(directory, { keys: keys.slice(1, 2) }));
        }
        return bytes;
      };
      return { ...file, read };
    },
  });
  await publishSite(disturbed, wishFor(directory, { keys: keys.slice(2) }));
  assert.ok(others);
  for (const path of ['vo/oauth2/certs', 'vo/oauth2/certs.json'])
    assert.deepEqual(await kidsIn(directory, path), ['k1', 'k2', 'k3'], path);
});

/** Lets something happen between the making of a temporary file and the last look before the rename. */
const withBeforeRename = (happens: (name: string) => Promise<void>): World =>
  withWrapped({
    async createExclusive(at, name, mode) {
      await happens(name.split('.')[1] ?? '');
      return await at.createExclusive(name, mode);
    },
  });

interface Instead {
  createExclusive?(at: Directory, ...how: Parameters<Directory['createExclusive']>): Promise<OpenFile>;
  open?(at: Directory, ...how: Parameters<Directory['open']>): Promise<OpenFile>;
}

/** The real world but for what is done with files below an open directory. */
function withWrapped({ createExclusive, open }: Instead): World {
  const wrap = (at: Directory): Directory => ({
    ...at,
    openDirectory: async (name, use) => wrap(await at.openDirectory(name, use)),
    createExclusive: (...how) =>
      createExclusive === undefined ? at.createExclusive(...how) : createExclusive(at, ...how),
    open: (...how) => (open === undefined ? at.open(...how) : open(at, ...how)),
  });
  const openDirectory: World['files']['openDirectory'] = async (path, use) =>
    wrap(await world.files.openDirectory(path, use));
  return { ...world, files: { ...world.files, openDirectory } };
}

test('an empty key set is never published', async (t) => {
  const directory = await emptyDirectory(t);
  await assert.rejects(
    publishSite(world, wishFor(directory, { keys: [signingKey('gone', 'removed')] })),
    faultOf('signing-key-missing', /no key to publish/),
  );
  assert.deepEqual(await filesBelow(directory), []);
});

test('another key under a kid of ours is told of, not written over', async (t) => {
  const directory = await emptyDirectory(t);
  await publishSite(world, wishFor(directory, { keys: [signingKey('same')] }));
  const wish = wishFor(directory, { keys: [signingKey('same')] });
  await assert.rejects(publishSite(world, wish), faultOf('site-wrong', /another key under the kid same/));
  await publishSite(world, { ...wish, prune: true });
});

test('the same key in the spelling of other tools is ours; written anew it has no padding and its curve', async (t) => {
  const directory = await emptyDirectory(t);
  const key = signingKey('c013');
  const { crv: _crv, x = '', ...rest } = key.jwk;
  await write(directory, 'vo/oauth2/certs', JSON.stringify({ keys: [{ ...rest, x: `${x}=` }] }));
  const { kept } = await publishSite(world, wishFor(directory, { keys: [key] }));
  assert.deepEqual(kept, []);
  assert.deepEqual((await json(directory, 'vo/oauth2/certs'))['keys'], [key.jwk]);
});

test('VER-07: a key set is not made larger than verifiers read; one that was is told of', async (t) => {
  const directory = await emptyDirectory(t);
  const { jwk } = signingKey('theirs');
  const theirs = (count: number, more = {}) =>
    Array.from({ length: count }, (_, n) => ({ ...jwk, ...more, kid: `t${n}` }));
  const publish = async (keys: readonly unknown[]) => {
    await write(directory, 'vo/oauth2/certs', JSON.stringify({ keys }));
    await rm(join(directory, 'vo/oauth2/certs.json'), { force: true });
    return await publishSite(world, wishFor(directory, { keys: [signingKey('mine')] }));
  };
  assert.deepEqual((await publish(theirs(63))).remarks, []);
  await assert.rejects(publish(theirs(64)), /with our keys the published key set has 65 keys, more than 64/);
  const text = await readFile(join(directory, 'vo/oauth2/certs'), 'utf8');
  assert.equal(text.match(/"kid"/g)?.length, 64, 'it was written all the same');
  assert.match((await publish(theirs(70))).remarks.join(), /the key set has 71 keys, .* it was so before/);
  const remarks = (await publish(theirs(2, { x5c: ['A'.repeat(200_000)] }))).remarks.join();
  assert.match(remarks, /is larger than 256 KiB, and verifiers refuse all of it/);
});

test('the private half of a key of others is not published a second time', async (t) => {
  const directory = await emptyDirectory(t);
  const leaked = { ...signingKey('leaked').jwk, d: 'c2VjcmV0' };
  await write(directory, 'vo/oauth2/certs', JSON.stringify({ keys: [leaked] }));
  const { remarks } = await publishSite(world, wishFor(directory));
  assert.match(remarks.join(), /leaked held its private half/);
  assert.doesNotMatch(await readFile(join(directory, 'vo/oauth2/certs'), 'utf8'), /"d"|c2VjcmV0/);
});

test('what others wrote into the metadata stays, and so does a page of theirs', async (t) => {
  const directory = await emptyDirectory(t);
  const metadata = { token_endpoint: `${url}/token`, issuer: url, jwks_uri: `${url}/oauth2/certs` };
  await write(directory, 'vo/.well-known/openid-configuration', JSON.stringify(metadata));
  await write(directory, 'vo/index.html', '<h1>ours</h1>');
  const { remarks } = await publishSite(world, wishFor(directory));
  assert.deepEqual(await json(directory, 'vo/.well-known/oauth-authorization-server'), metadata);
  assert.equal(await readFile(join(directory, 'vo/index.html'), 'utf8'), '<h1>ours</h1>');
  assert.match(remarks.join(), /index\.html is not of our making/);
});

test('files of another issuer, and files that say nothing, are not written over', async (t) => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['vo/.well-known/openid-configuration', '{"issuer":"https://issuer.example/vo/"}', /of another issuer/],
    ['vo/.well-known/openid-configuration', 'null', /holds no JSON object/],
    [
      'vo/.well-known/openid-configuration',
      `{"issuer":"${url}","jwks_uri":"https://x.example/k"}`,
      /leads to the keys at/,
    ],
    ['vo/oauth2/certs', '<html>', /holds no JSON object/],
    ['vo/oauth2/certs', '{"keys":"none"}', /holds no key set/],
  ];
  for (const [path, content, words] of cases) {
    const directory = await emptyDirectory(t);
    await write(directory, path, content);
    await assert.rejects(publishSite(world, wishFor(directory)), faultOf('site-wrong', words), content);
    assert.equal(await readFile(join(directory, path), 'utf8'), content);
    assert.deepEqual(await filesBelow(directory), [path]);
  }
});

test('an issuer at the root and one below it share a directory: what cannot lie side by side is left out', async (t) => {
  const directory = await emptyDirectory(t);
  const root = wishFor(directory, { url: 'https://issuer.example' as IssuerUrl });
  await publishSite(world, root);
  const { remarks } = await publishSite(world, wishFor(directory));
  assert.match(remarks.join(), /openid-configuration\/vo is left alone: a file is in the way/);
  assert.equal((await json(directory, '.well-known/openid-configuration'))['issuer'], root.url);
  assert.equal((await json(directory, 'vo/.well-known/openid-configuration'))['issuer'], url);
});

test('nothing is written through a link: neither a file, nor a directory, nor the directory itself', async (t) => {
  for (const place of ['vo/oauth2/certs', 'vo/oauth2', '']) {
    const directory = join(await emptyDirectory(t), 'www');
    const elsewhere = await emptyDirectory(t);
    await mkdir(join(directory, place, '..'), { recursive: true });
    await symlink(elsewhere, join(directory, place));
    await assert.rejects(
      publishSite(world, wishFor(directory)),
      faultOf('target-refused', /(is a link|: a link is in the way)/),
      place,
    );
    assert.deepEqual(await readdir(elsewhere), []);
  }
});

test('a link where we only would like to write, or to look, stays as it is and hinders nothing', async (t) => {
  const directory = await emptyDirectory(t);
  const elsewhere = await emptyDirectory(t);
  await mkdir(join(directory, 'vo'));
  for (const name of ['.git', 'CNAME', '_config.yml', 'vo/index.html', '.well-known'])
    await symlink(join(elsewhere, 'x'), join(directory, name));
  const { remarks, kids } = await publishSite(world, wishFor(directory));
  assert.deepEqual(kids, ['k1']);
  assert.match(remarks.join('\n'), /openid-configuration\/vo is left alone: a link is in the way/);
  assert.match(remarks.join('\n'), /index\.html is not of our making/);
  assert.deepEqual(await readdir(elsewhere), []);
});

test('stopped at any point, each file is the old one or the new one, and the next run finishes', async (t) => {
  const old = [signingKey('old')];
  const keys = [...old, signingKey('new', 'next')];
  for (let stopAt = 1; stopAt <= 3; stopAt += 1) {
    const directory = await emptyDirectory(t);
    await publishSite(world, wishFor(directory, { keys: old }));
    let writes = 0;
    const stopped = withBeforeRename(async () => {
      if (++writes === stopAt) throw Object.assign(new Error('the machine is gone'), { code: 'EIO' });
    });
    await assert.rejects(publishSite(stopped, wishFor(directory, { keys })), faultOf('target-failed', /EIO/));
    for (const path of ['vo/oauth2/certs', 'vo/oauth2/certs.json'])
      assert.ok(['old', 'new,old'].includes((await kidsIn(directory, path)).toSorted().join()), path);
    await publishSite(world, wishFor(directory, { keys }));
    assert.deepEqual(await kidsIn(directory), ['new', 'old']);
    assert.ok((await filesBelow(directory)).every((path) => !path.includes('.tokeep-')));
  }
});

test('what a killed run left is swept when it is old, and left when somebody may still be writing it', async (t) => {
  const directory = await emptyDirectory(t);
  await write(directory, 'vo/oauth2/.certs.tokeep-old', '{');
  await write(directory, 'vo/oauth2/.certs.tokeep-new', '{');
  await utimes(join(directory, 'vo/oauth2/.certs.tokeep-old'), 1, 1);
  await publishSite(world, wishFor(directory));
  assert.deepEqual(await readdir(join(directory, 'vo/oauth2')), ['.certs.tokeep-new', 'certs', 'certs.json']);
});

test('a trial run says what it would do and does nothing', async (t) => {
  const directory = join(await emptyDirectory(t), 'not-there');
  const { changes } = await publishSite(world, wishFor(directory, { dryRun: true }));
  assert.deepEqual(new Set(changes.map(({ what }) => what)), new Set(['made']));
  assert.deepEqual(await filesBelow(join(directory, '..')), []);
});

test('a directory of GitHub Pages is told to leave names with dots in, unless it has settings of its own', async (t) => {
  const directory = await emptyDirectory(t);
  await mkdir(join(directory, '.git'));
  const wish = wishFor(directory);
  await publishSite(world, wish);
  assert.match(await readFile(join(directory, '_config.yml'), 'utf8'), /include: \["\.well-known"/);
  assert.equal(await readFile(join(directory, '.nojekyll'), 'utf8'), '');

  await rm(join(directory, '.nojekyll'));
  await writeFile(join(directory, '_config.yml'), 'title: Our collaboration\n');
  const { remarks } = await publishSite(world, wish);
  assert.match(remarks.join(), /add to it: include: \["\.well-known"\]/);
  assert.equal(await readFile(join(directory, '_config.yml'), 'utf8'), 'title: Our collaboration\n');
});

test('a project page of GitHub is served below the path of its repository', async (t) => {
  const directory = await emptyDirectory(t);
  const wish = wishFor(directory, { url: 'https://our.github.io/vo/prod' as IssuerUrl, servedAt: '/vo/' });
  await publishSite(world, wish);
  assert.deepEqual(await filesBelow(directory), [
    '.nojekyll',
    '_config.yml',
    'prod/.well-known/oauth-authorization-server',
    'prod/.well-known/openid-configuration',
    'prod/.well-known/openid-configuration.json',
    'prod/index.html',
    'prod/oauth2/certs',
    'prod/oauth2/certs.json',
  ]);
  await assert.rejects(publishSite(world, { ...wish, servedAt: '/other' }), faultOf('usage', /cannot hold the issuer/));
});

test('the page names keys and issuer as text: what others put into the key set is no markup', async (t) => {
  const directory = await emptyDirectory(t);
  const evil = { ...signingKey('x').jwk, kid: '<script>alert(1)</script>', alg: '"><img src=x>' };
  await write(directory, 'vo/oauth2/certs', JSON.stringify({ keys: [evil] }));
  await publishSite(world, wishFor(directory, { keys: [signingKey('mine'), signingKey('soon', 'next')] }));
  const page = await readFile(join(directory, 'vo/index.html'), 'utf8');
  assert.doesNotMatch(page, /<script|<img/);
  assert.match(page, /&lt;script&gt;/);
  assert.match(page, /default-src 'none'; style-src 'sha256-/);
  assert.match(page, /will sign next; made on <time>2026-03-01/);
  assert.match(page, /SCITOKENS \/\^https:[^\n]*issuer\\.example\\\/vo,\/ account/);
});
