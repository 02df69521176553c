import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isCapability, type ParsedScope, parseScope, parseScopes, printScope } from '../../src/token/capability.ts';
import { type Dialect, inDialect } from '../../src/token/equivalents.ts';
import { mayGive, narrow } from '../../src/token/narrowing.ts';
import { covers, missingScopes } from '../../src/token/scope.ts';

const texts = (scopes: readonly ParsedScope[]) => scopes.map(({ text }) => text);

test('scopes are read by the rules of their profile', () => {
  const kinds: readonly (readonly [string, ParsedScope['kind']])[] = [
    ['storage.read:/data', 'storage'],
    ['storage.poll:/', 'storage'],
    ['read:/data', 'scitokens'],
    ['write:/', 'scitokens'],
    ['compute.cancel', 'compute'],
    ['condor:/ADVERTISE_STARTD', 'condor'],
    ['wlcg.groups', 'groups'],
    ['wlcg.groups:/cms/uscms', 'groups'],
    ['wlcg.capabilityset:/dune/pro', 'capabilityset'],
    ['openid', 'other'],
    ['host.auth', 'other'],
    ['wlcg:1.0', 'other'],
    ['Storage.read:/data', 'other'],
    ['storage.write:/data', 'other'],
    ['compute.read:/x', 'other'],
    ['READ:/data', 'other'],
    ['constructor', 'other'],
    ['storage.read', 'refused'],
    ['storage.read:', 'refused'],
    ['storage.modify:data', 'refused'],
    ['storage.read:/a/../b', 'refused'],
    ['read', 'refused'],
    ['write:data', 'refused'],
    ['condor', 'refused'],
    ['condor:READ', 'refused'],
    ['condor:/', 'refused'],
    ['condor:/READ/x', 'refused'],
    ['wlcg.groups:', 'refused'],
    ['wlcg.groups:/cms/Role=pilot', 'refused'],
    ['wlcg.capabilityset:', 'refused'],
  ];
  for (const [text, kind] of kinds) assert.equal(parseScope(text).kind, kind, text);
});

test('a scope claim is separated by blanks alone, however many', () => {
  assert.deepEqual(texts(parseScopes('  storage.read:/a   openid ')), ['storage.read:/a', 'openid']);
  assert.deepEqual(parseScopes(''), []);
  assert.deepEqual(
    parseScopes('storage.read:/a\tstorage.modify:/').map(({ kind }) => kind),
    ['refused'],
  );
});

test('capabilities are what a profile defines, and what was meant to be one', () => {
  const capabilities = ['storage.poll:/', 'read:/', 'compute.read', 'condor:/READ', 'storage.read'];
  for (const text of capabilities) assert.ok(isCapability(parseScope(text)), text);
  const none = ['openid', 'wlcg.groups', 'wlcg.groups:/cms', 'wlcg.capabilityset:/cms', 'host.auth', 'compute.read:/x'];
  for (const text of none) assert.ok(!isCapability(parseScope(text)), text);
});

test('what may be handed on is the same, below, or create from modify', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['storage.read:/', 'storage.read:/home', true],
    ['storage.read:/home', 'storage.read:/', false],
    ['storage.read:/home', 'storage.read:/homes', false],
    ['storage.read:/home', 'storage.read:/%68ome/a%20b', true],
    ['storage.read:/home/', 'storage.read:/home', false],
    ['storage.read:/home', 'storage.read:/home/../etc', false],
    ['storage.read:/home', 'storage.read:/home/%2e%2e/etc', false],
    ['storage.read:/', 'storage.read', false],
    ['storage.read', 'storage.read', false],
    ['storage.modify:/a', 'storage.create:/a/b', true],
    ['storage.modify:/a/b', 'storage.create:/a', false],
    ['storage.create:/', 'storage.modify:/', false],
    ['storage.modify:/', 'storage.read:/', false],
    ['storage.create:/', 'storage.read:/', false],
    ['storage.stage:/', 'storage.read:/', false],
    ['storage.stage:/', 'storage.poll:/', false],
    ['read:/a', 'storage.read:/a/b', true],
    ['storage.read:/a', 'read:/a/b', true],
    ['read:/a', 'write:/a', false],
    ['write:/a', 'read:/a', false],
    ['write:/a', 'storage.modify:/a', true],
    ['write:/a', 'storage.create:/a', true],
    ['storage.create:/a', 'write:/a', false],
    ['condor:/READ', 'compute.read', true],
    ['compute.read', 'condor:/READ', true],
    ['condor:/WRITE', 'compute.create', true],
    ['condor:/WRITE', 'compute.read', false],
    ['compute.modify compute.create compute.cancel', 'condor:/WRITE', true],
    ['compute.modify compute.create', 'condor:/WRITE', false],
    ['condor:/WRITE', 'condor:/DAEMON', false],
    ['condor:/READ', 'condor:/read', false],
    ['wlcg.groups:/cms', 'wlcg.groups:/cms', true],
    ['wlcg.groups:/cms', 'wlcg.groups:/cms/uscms', false],
    ['wlcg.groups', 'wlcg.groups:/cms', false],
    ['openid', 'openid', true],
    ['openid', 'offline_access', false],
    ['any:/a', 'any:/a/b', false],
    ['', 'openid', false],
  ];
  for (const [held, wanted, answer] of cases) {
    assert.equal(mayGive(parseScopes(held), parseScope(wanted)), answer, `${held} → ${wanted}`);
  }
});

test('narrowing gives what was wanted, each once, or says what is wider', () => {
  const held = parseScopes('storage.read:/ storage.modify:/home openid');
  const given = narrow(held, parseScopes('storage.read:/a storage.read:/%61 storage.create:/home/x'));
  assert.equal(given.kind, 'narrowed');
  assert.deepEqual(given.scopes.map(printScope), ['storage.read:/a', 'storage.create:/home/x']);
  const wider = narrow(held, parseScopes('openid storage.modify:/ storage.read'));
  assert.equal(wider.kind, 'wider');
  assert.deepEqual(texts(wider.scopes), ['storage.modify:/', 'storage.read']);
  assert.deepEqual(narrow(held, []), { kind: 'narrowed', scopes: [] });
});

test('the equivalents are those of OSG’s table', () => {
  const cases: readonly (readonly [string, Dialect, string, string])[] = [
    ['compute.read', 'scitokens', 'condor:/READ', ''],
    ['compute.create openid compute.modify compute.cancel', 'scitokens', 'condor:/WRITE openid', ''],
    ['compute.create compute.modify', 'scitokens', '', 'compute.create compute.modify'],
    ['storage.read:/a%5b storage.modify:/b/', 'scitokens', 'read:/a%5B write:/b/', ''],
    [
      'storage.create:/a storage.stage:/ storage.poll:/',
      'scitokens',
      '',
      'storage.create:/a storage.stage:/ storage.poll:/',
    ],
    ['read:/a write:/b condor:/READ', 'scitokens', 'read:/a write:/b condor:/READ', ''],
    ['wlcg.groups', 'scitokens', '', 'wlcg.groups'],
    ['read:/a write:/b', 'wlcg', 'storage.read:/a storage.modify:/b', ''],
    ['condor:/READ condor:/WRITE', 'wlcg', 'compute.read compute.modify compute.cancel compute.create', ''],
    ['condor:/DAEMON storage.read', 'wlcg', '', 'condor:/DAEMON storage.read'],
    ['storage.create:/a wlcg.groups:/cms openid', 'wlcg', 'storage.create:/a wlcg.groups:/cms openid', ''],
    ['compute.read condor:/DAEMON read:/a openid', 'htcondor', 'condor:/READ condor:/DAEMON', 'read:/a openid'],
  ];
  for (const [scopes, dialect, said, left] of cases) {
    const answer = inDialect(parseScopes(scopes), dialect);
    assert.deepEqual(
      [answer.scopes.join(' '), texts(answer.without).join(' ')],
      [said, left],
      `${scopes} in ${dialect}`,
    );
  }
});

test('the renewer compares the paths of scopes of any name by the same rule', () => {
  assert.ok(covers('storage.read:/a', 'storage.read:/a/b') && covers('their.own:/a', 'their.own:/%61/b'));
  assert.ok(!covers('storage.read:/a', 'storage.read:/ab') && !covers('storage.read:/a', 'storage.read:/a/../b'));
  assert.ok(!covers('storage.modify:/', 'storage.create:/') && covers('storage.read', 'storage.read'));
  assert.deepEqual(missingScopes(['openid', 'storage.read:/a/b', 'compute.read'], ['storage.read:/a']), [
    'compute.read',
  ]);
  assert.deepEqual(missingScopes(['wlcg.groups:/cms', 'storage.read:/'], []), []);
});

const names = ['storage.read', 'storage.create', 'storage.modify', 'storage.stage', 'storage.poll', 'read', 'write'];
const parts = ['a', 'b', '%61', 'A', 'ab', '..', '.', '', '%2e%2e', '%2f', '%252e', 'a%2f..', 'a%00', 'a\\b', 'a%20b'];
const rawPath = fc
  .tuple(fc.array(fc.constantFrom(...parts), { maxLength: 3 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join('/')}${slash ? '/' : ''}`);
const scopeText = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...names), rawPath).map(([name, raw]) => `${name}:${raw}`) },
  fc.constantFrom(
    'compute.read',
    'compute.modify',
    'compute.create',
    'compute.cancel',
    'storage.read',
    'storage.modify:a',
  ),
  fc.constantFrom('condor:/READ', 'condor:/WRITE', 'condor:/DAEMON', 'openid', 'wlcg.groups', 'wlcg.groups:/cms'),
);
const scopeTexts = fc.array(scopeText, { maxLength: 5 });

interface Wanted {
  readonly right: string;
  /** As a file system has it. */
  readonly path: string;
  readonly target: 'file' | 'directory';
}

/** What a service lets the bearer do, told a second time and in another way: texts, and no path taken apart. */
function permits(scopes: readonly string[], { right, path, target }: Wanted): boolean {
  const trick = /(^|\/)(\.|%2e){1,2}(\/|$)|\/\/|%2f|%25|%00|%5c|\\/i;
  const rights: Readonly<Record<string, readonly string[]>> = {
    read: ['storage.read'],
    write: ['storage.modify', 'storage.create'],
    'storage.modify': ['storage.modify', 'storage.create'],
    'condor:/READ': ['compute.read'],
    'condor:/WRITE': ['compute.modify', 'compute.create', 'compute.cancel'],
  };
  return scopes.some((scope) => {
    const [name, raw] = scope.includes(':/') && !scope.startsWith('condor') ? scope.split(/:(.*)/s) : [scope];
    if (!(rights[name!] ?? [name]).includes(right)) return false;
    if (raw === undefined) return !right.startsWith('storage.');
    if (trick.test(raw)) return false;
    const held = decodeURIComponent(raw);
    if (raw.endsWith('/') && raw !== '/' && target === 'file') return path.startsWith(held);
    return `${path}/`.startsWith(held.endsWith('/') ? held : `${held}/`);
  });
}

const wantedAction = fc.record({
  right: fc.constantFrom(
    ...names.slice(0, 5),
    ...[
      'compute.read',
      'compute.modify',
      'compute.create',
      'compute.cancel',
      'condor:/DAEMON',
      'openid',
      'wlcg.groups:/cms',
    ],
  ),
  path: fc
    .array(fc.constantFrom('a', 'b', 'A', 'ab', 'a b'), { maxLength: 4 })
    .map((segments) => `/${segments.join('/')}`),
  target: fc.constantFrom('file', 'directory'),
});

test('narrowing never widens: what the narrowed scopes permit, the held ones did', () => {
  let permitted = 0;
  fc.assert(
    fc.property(
      scopeTexts,
      scopeTexts,
      fc.array(wantedAction, { minLength: 30, maxLength: 30 }),
      (held, wanted, actions) => {
        const parsed = parseScopes(held.join(' '));
        const given = parseScopes(wanted.join(' ')).filter((scope) => mayGive(parsed, scope));
        for (const action of actions.filter((one) => permits(given.map(printScope), one))) {
          permitted += 1;
          assert.ok(permits(held, action), `${texts(given)} permits ${JSON.stringify(action)}, and ${held} does not`);
        }
      },
    ),
    { numRuns: 1500 },
  );
  assert.ok(permitted > 100);
});

test('narrowing never widens: steps one after the other give no more than one step would', () => {
  fc.assert(
    fc.property(scopeTexts, scopeTexts, scopeTexts, (first, second, third) => {
      const [a, b, c] = [first, second, third].map((scopes) => parseScopes(scopes.join(' '))) as [
        readonly ParsedScope[],
        readonly ParsedScope[],
        readonly ParsedScope[],
      ];
      const handed = b.filter((scope) => mayGive(a, scope));
      for (const scope of c) if (mayGive(handed, scope)) assert.ok(mayGive(a, scope));
    }),
    { numRuns: 1500 },
  );
});

test('narrowing to what is held gives all of it, but for what is refused; and refused scopes give nothing', () => {
  fc.assert(
    fc.property(scopeTexts, (held) => {
      const parsed = parseScopes(held.join(' '));
      const good = parsed.filter(({ kind }) => kind !== 'refused');
      assert.equal(narrow(parsed, good).kind, 'narrowed');
      for (const scope of parsed) assert.equal(mayGive(parsed, scope), scope.kind !== 'refused');
    }),
  );
});

test('parsing and printing scopes is the identity on canonical ones', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcRW:./%-_0'), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.oneof(scopeText, word), (text) => {
      const scope = parseScope(text);
      const printed = printScope(scope);
      assert.deepEqual({ ...parseScope(printed), text }, scope);
      assert.equal(printScope(parseScope(printed)), printed);
    }),
    { numRuns: 2000 },
  );
});

test('another dialect says the same or less, never more', () => {
  fc.assert(
    fc.property(scopeTexts, fc.constantFrom<Dialect>('wlcg', 'scitokens', 'htcondor'), (held, dialect) => {
      const parsed = parseScopes(held.join(' '));
      const { scopes, without } = inDialect(parsed, dialect);
      assert.equal(narrow(parsed, scopes.map(parseScope)).kind, 'narrowed');
      const kept = parsed.filter((scope) => !without.includes(scope));
      assert.equal(narrow(scopes.map(parseScope), kept).kind, 'narrowed');
    }),
    { numRuns: 1500 },
  );
});
