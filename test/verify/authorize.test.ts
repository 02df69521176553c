import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Area, everywhere } from '../../src/verify/areas.ts';
import { type AccessRequest, type Bearer, type Decision, decide } from '../../src/verify/authorize.ts';

const bearer = (scope: string, more: Partial<Bearer> = {}): Bearer => ({
  profile: 'wlcg',
  scopes: scope.split(' ').filter((one) => one !== ''),
  groups: [],
  ...more,
});

const ask = (scope: string, request: AccessRequest, area: Area = everywhere, more: Partial<Bearer> = {}): Decision =>
  decide(bearer(scope, more), request, area);

const read = (path: string) => ({ action: 'read', path }) as const;

/** scope, action, path, may it. The first word of a path that ends with a slash asks for a directory. */
const wlcg: readonly (readonly [string, AccessRequest['action'], string, boolean])[] = [
  ['storage.read:/', 'read', '/data/file', true],
  ['storage.read:/foo', 'read', '/foobar/file', false],
  ['storage.read:/foobar', 'read', '/foobar/file', true],
  ['storage.read:/foo/', 'read', '/foo/file', true],
  ['storage.read:/foo/', 'read', '/foo', false],
  ['storage.read:/foo/', 'read', '/foo/', true],
  ['storage.read:/%64ata', 'read', '/data/file', true],
  ['storage.read:/a storage.read:/b', 'read', '/b/file', true],
  ['storage.read:/a', 'read', '/A/file', false],
  ['storage.read:/a', 'read', '/a/../b', false],
  ['storage.read:/a', 'create', '/a/file', false],
  ['storage.read:/a', 'poll', '/a/file', true],
  ['storage.modify:/a', 'read', '/a/file', false],
  ['storage.modify:/a', 'create', '/a/file', true],
  ['storage.modify:/a', 'modify', '/a/file', true],
  ['storage.create:/a', 'read', '/a/file', false],
  ['storage.create:/a', 'create', '/a/file', true],
  ['storage.create:/a', 'modify', '/a/file', false],
  ['storage.create:/foo/bar', 'create', '/foo/', true],
  ['storage.create:/foo/bar', 'create', '/foo', false],
  ['storage.read:/foo/bar', 'read', '/foo/', false],
  ['storage.modify:/foo/bar', 'modify', '/foo/', false],
  ['storage.poll:/foo', 'stat', '/foo/file', false],
  ['storage.stage:/foo', 'stat', '/foo/file', true],
  ['storage.create:/foo/bar', 'create', '/foo/bargain', false],
  ['storage.create:/foo/bar/', 'create', '/foo/bar', false],
  ['storage.stage:/a', 'stage', '/a/file', true],
  ['storage.stage:/a', 'read', '/a/file', false],
  ['storage.poll:/a', 'stage', '/a/file', false],
  ['openid', 'read', '/a', false],
  ['', 'read', '/a', false],
];

test('VER-09: scopes of storage allow what the WLCG profile 1.3 says, by whole segments', () => {
  for (const [scope, action, path, may] of wlcg) {
    const decision = ask(scope, { action, path });
    assert.equal(decision.kind, may ? 'allowed' : 'denied', `${scope}: ${action} ${path}: ${decision.why}`);
  }
});

test('VER-09: one scope without a usable path spoils the whole token', () => {
  for (const scope of [
    'storage.read',
    'storage.read:',
    'storage.read:data',
    'storage.read:/a/../b',
    'storage.read://a',
  ]) {
    const decision = ask(`storage.read:/ ${scope}`, read('/data'));
    assert.equal(decision.kind, 'denied');
    assert.equal(decision.rule, scope);
    assert.match(decision.why, /spoils the whole token/);
  }
});

test('a denial names the scope that comes nearest and what it lacks, and says what to ask for', () => {
  const area = { basePaths: ['/store/cms'], restrictedPaths: ['/open'] };
  const said: readonly (readonly [Decision, string, string | undefined])[] = [
    [
      ask('storage.read:/other storage.read:/foo', read('/foobar/file')),
      'storage.read:/foo does not reach /foobar/file: paths are compared by whole segments',
      'ask for storage.read:/foobar/file',
    ],
    [
      ask('storage.modify:/a', read('/a/f')),
      'storage.modify:/a does not let its bearer read: writing does not include reading',
      'ask for storage.read:/a/f',
    ],
    [
      ask('storage.read:/store/cms/open', read('/store/cms/open/f'), area),
      'storage.read:/store/cms/open does not reach /store/cms/open/f, which is /open/f below base_path /store/cms: paths in tokens start below base_path, so /store/cms must not stand in the scope',
      'ask for storage.read:/open/f',
    ],
    [
      ask('storage.read:/', read('/store/cms/closed'), area),
      'storage.read:/ would reach /store/cms/closed, which is /closed below base_path /store/cms, but the site lets this issuer in only below /open (restricted_path)',
      'ask for a path below that, or have the site extend restricted_path',
    ],
    [
      ask('storage.read:/', read('/elsewhere'), area),
      "/elsewhere is not the issuer's: its tokens hold below /store/cms only",
      'ask for a path below it, or have the site extend base_path',
    ],
    [ask('read:/a', read('/a')), 'read:/a is a word of SciTokens, and this is a WLCG token', 'ask for storage.read:/a'],
    [
      ask('storage.read:/A', read('/a/f')),
      'storage.read:/A does not reach /a/f: paths are compared with their case',
      'ask for storage.read:/a/f',
    ],
  ];
  for (const [decision, why, hint] of said) assert.deepEqual(decision, { ...decision, kind: 'denied', why, hint });
});

test('restricted paths let through what lies both in the scope and in them', () => {
  const area = { basePaths: ['/store'], restrictedPaths: ['/a/b'] };
  assert.equal(ask('storage.read:/', read('/store/a/b/c'), area).kind, 'allowed');
  assert.equal(ask('storage.read:/a/b/c', read('/store/a/b/c'), area).kind, 'allowed');
  assert.equal(ask('storage.read:/', read('/store/a/bc'), area).kind, 'denied');
  assert.equal(ask('storage.create:/', { action: 'create', path: '/store/a/' }, area).kind, 'allowed');
});

test('words of SciTokens count in tokens of SciTokens, and those of WLCG in tokens of WLCG', () => {
  for (const profile of ['scitokens1', 'scitokens2', 'at+jwt'] as const) {
    assert.equal(ask('read:/a', read('/a/f'), everywhere, { profile }).kind, 'allowed');
    assert.equal(ask('write:/a', { action: 'modify', path: '/a/f' }, everywhere, { profile }).kind, 'allowed');
    assert.equal(ask('write:/a', read('/a/f'), everywhere, { profile }).kind, 'denied');
    assert.equal(ask('storage.read:/a', read('/a/f'), everywhere, { profile }).kind, 'denied');
    assert.equal(ask('compute.read', { action: 'compute.read' }, everywhere, { profile }).kind, 'denied');
  }
});

test('groups decide only where there is no capability at all', () => {
  const area: Area = { basePaths: ['/'], groupRules: [{ group: '/cms', actions: ['read'], path: '/store' }] };
  const groups = ['/cms'];
  assert.equal(ask('openid', read('/store/f'), area, { groups }).kind, 'allowed');
  assert.equal(ask('', read('/elsewhere'), area, { groups }).kind, 'denied');
  assert.equal(ask('storage.read:/x', read('/store/f'), area, { groups }).kind, 'denied');
  assert.equal(ask('compute.read', read('/store/f'), area, { groups }).kind, 'denied');
  assert.equal(ask('', read('/store/f'), area, { groups: ['/cms/uscms'] }).kind, 'denied', 'a child is not its parent');
});

test("HTCondor's READ is compute.read, and its WRITE the three others", () => {
  const may = (scope: string, action: AccessRequest['action']) => ask(scope, { action }).kind === 'allowed';
  assert.ok(may('compute.read', 'compute.read') && may('condor:/READ', 'compute.read'));
  assert.ok(may('condor:/WRITE', 'compute.create') && may('condor:/WRITE', 'compute.cancel'));
  assert.ok(!may('condor:/READ', 'compute.create') && !may('condor:/WRITE', 'compute.read'));
  assert.ok(!may('compute.create', 'compute.cancel') && !may('storage.read:/', 'compute.read'));
});

const segment = fc.constantFrom('a', 'b', 'ab', 'data', 'A');
const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
const operation = fc.constantFrom('read', 'create', 'modify', 'stage', 'poll');
const action = fc.constantFrom('read', 'create', 'modify', 'stage', 'poll' as const);

test('VER-09: what is allowed lies at or below the path of a scope of the token, for files', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(operation, path)), action, path, (scopes, wish, wanted) => {
      const text = scopes.map(([name, at]) => `storage.${name}:${at}`).join(' ');
      const decision = ask(text, { action: wish, path: wanted, target: 'file' });
      const below = scopes.some(([, at]) => at === '/' || `${wanted}/`.startsWith(`${at}/`));
      if (decision.kind === 'allowed') assert.ok(below, `${text}: ${wish} ${wanted}`);
    }),
  );
});

test('more scopes never allow less, and a base path or restriction never more', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(operation, path)), action, path, path, (scopes, wish, wanted, limit) => {
      const texts = scopes.map(([name, at]) => `storage.${name}:${at}`);
      const may = (list: readonly string[], area: Area) =>
        ask(list.join(' '), { action: wish, path: wanted }, area).kind === 'allowed';
      if (may(texts.slice(1), everywhere)) assert.ok(may(texts, everywhere));
      if (may(texts, { basePaths: ['/'], restrictedPaths: [limit] })) assert.ok(may(texts, everywhere));
    }),
  );
});
