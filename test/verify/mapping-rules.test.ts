import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { mapByRules, type RuleMapping } from '../../src/verify/map-rules.ts';
import { readMapRules } from '../../src/verify/map-rules-file.ts';
import { mapIdentity } from '../../src/verify/mapping.ts';
import { identityOf } from '../../src/verify/mapping-identity.ts';
import { mapByNameMapfile, type NameQuestion, readNameMapfile } from '../../src/verify/name-mapfile.ts';

const cms = 'https://cms-auth.cern.ch/';
const yaml = `
rules:
  - { issuer: ${cms}, subject: mallory, deny: true }
  - { issuer: ${cms}, group: /cms/pilot, scope: [compute.create, compute.read], user: cmspilot }
  - { issuer: ${cms}, group: [/cms, /cms/*], scope: "storage.modify:/store/user", user: cmsuser }
  - { issuer: ${cms}, subject: "svc-*", audience: "ce.example:9619", user: cmssvc }
  - issuer: ${cms}
    subject: "*"
    user: "{subject}"
    among: [alice, "cms*", root]
    comment: people who have accounts here
`;

async function rulesOf(text: string, file = 'rules.yaml') {
  const reading = await readMapRules(text, file);
  assert.ok(reading.kind === 'rules', JSON.stringify(reading));
  return reading.rules;
}

function identity(claims: Record<string, unknown>) {
  const reading = identityOf({ iss: cms, sub: 'somebody', ...claims });
  assert.ok(reading.kind === 'identity');
  return reading.identity;
}

const short = (found: RuleMapping): string => (found.kind === 'mapped' ? found.user : found.kind);

for (const [what, claims, user] of [
  ['a group and both scopes', { 'wlcg.groups': ['/cms/pilot'], scope: 'compute.read compute.create' }, 'cmspilot'],
  ['one scope of two', { 'wlcg.groups': ['/cms/pilot'], scope: 'compute.create' }, 'none'],
  [
    "HTCondor's spelling of the same",
    { 'wlcg.groups': ['/cms/pilot'], scope: 'condor:/READ condor:/WRITE' },
    'cmspilot',
  ],
  ['a wider scope', { 'wlcg.groups': ['/cms', '/cms/x'], scope: 'storage.modify:/store' }, 'cmsuser'],
  ['a narrower scope', { 'wlcg.groups': ['/cms', '/cms/x'], scope: 'storage.modify:/store/user/bob' }, 'none'],
  ['a scope of another directory', { 'wlcg.groups': ['/cms', '/cms/x'], scope: 'storage.modify:/store/users' }, 'none'],
  ['a group above only', { 'wlcg.groups': ['/cms'], scope: 'storage.modify:/store' }, 'none'],
  ['groups as text', { 'wlcg.groups': '/cms/pilot', scope: 'compute.read compute.create' }, 'none'],
  ['a subject by its start, for us', { sub: 'svc-7', aud: ['x', 'ce.example:9619'] }, 'cmssvc'],
  ['a subject by its start, for others', { sub: 'svc-7', aud: 'ce.example' }, 'none'],
  ['a subject that may be a user', { sub: 'alice' }, 'alice'],
  ['a subject that begins as users may', { sub: 'cms001' }, 'cms001'],
  ['a subject that is no account', { sub: 'cms/../root' }, 'none'],
  ['a subject that is an account of the system', { sub: 'root' }, 'none'],
  ['a denied subject, whatever its groups', { sub: 'mallory', 'wlcg.groups': ['/cms/pilot'] }, 'denied'],
  ['another issuer', { iss: 'https://cms-auth.cern.ch', sub: 'alice' }, 'none'],
] as const) {
  test(`rules by group and scope: ${what} gives ${user}`, async () => {
    assert.equal(short(mapByRules(await rulesOf(yaml), identity(claims))), user);
  });
}

test('a rule that lacks one thing is named, with what it lacks', async () => {
  const found = mapByRules(
    await rulesOf(yaml),
    identity({ sub: 'x', 'wlcg.groups': ['/cms/pilot'], scope: 'compute.read' }),
  );
  assert.ok(found.kind === 'none');
  assert.deepEqual([found.nearest?.rule.number, found.nearest?.why], [2, 'the token has not the scope compute.create']);
  const json = JSON.stringify({ rules: [{ issuer: cms, user: 'u' }] });
  const slash = mapByRules(await rulesOf(json, 'r.json'), identity({ iss: cms.slice(0, -1) }));
  assert.match((slash.kind === 'none' && slash.nearest?.why) || '', /differ by the slash at the end/);
});

for (const [rule, says] of [
  ['{ user: u }', /"issuer" is missing/],
  ['{ issuer: x, user: u, grup: /cms }', /^rules\.yaml:2:27: rule 1: "grup" is not known \(did you mean "group"\?\)/],
  ['{ issuer: "https://*.cern.ch", user: u }', /compared to the letter/],
  ['{ issuer: x }', /either "user" or "deny: true"/],
  ['{ issuer: x, user: u, deny: true }', /either "user" or "deny: true"/],
  ['{ issuer: x, user: root }', /^rules\.yaml:2:18: rule 1: nobody becomes root/],
  ['{ issuer: x, user: "a b" }', /no name of a local user/],
  ['{ issuer: x, user: "u_{subject}" }', /exactly \{subject\}/],
  ['{ issuer: x, user: "{subject}" }', /needs "among"/],
  ['{ issuer: x, user: "{subject}", among: ["*"] }', /after at least one letter/],
  ['{ issuer: x, user: u, group: cms }', /no group/],
  ['{ issuer: x, user: u, group: [] }', /a text, or a list of texts/],
  ['{ issuer: x, user: u, scope: "storage.read" }', /path is missing/],
  ['{ issuer: x, user: u, subject: "a*b" }', /at its end only/],
  ['{ issuer: 7, user: u }', /"issuer" has to be a text/],
  ['{ issuer: &a x, subject: *a, user: u }', /aliases/],
  ['[', /rules\.yaml:\d+:\d+: this is not YAML/],
  ['text', /rule 1: it is not a mapping/],
] as const) {
  test(`a file of rules is taken whole or not at all: ${rule}`, async () => {
    const reading = await readMapRules(`rules:\n  - ${rule}\n`, 'rules.yaml');
    assert.ok(reading.kind === 'refused');
    assert.match(reading.why, says);
  });
}

test('VER-10: who has no issuer or no subject, or one that is too long, is nobody', () => {
  for (const claims of [
    { sub: 'x' },
    { iss: 'x' },
    { iss: 'x', sub: '' },
    { iss: 'x', sub: 7 },
    { iss: 'x', sub: 'a\nb' },
  ]) {
    assert.equal(identityOf(claims).kind, 'refused');
  }
  assert.equal(identityOf({ iss: 'x', sub: 'a'.repeat(256) }).kind, 'refused');
});

test('VER-08: claims that nobody knows give nobody a user', async () => {
  const rules = await rulesOf(yaml);
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (claims) => {
      const reading = identityOf({ ...claims, iss: cms, sub: 'nobody-special' });
      assert.ok(reading.kind === 'identity');
      const { 'wlcg.groups': groups, scope } = claims;
      if (groups === undefined && scope === undefined) assert.equal(mapByRules(rules, reading.identity).kind, 'none');
    }),
  );
});

const nameMapfile = JSON.stringify([
  { sub: 'bob', path: '/home/bob', result: 'bob' },
  { group: '/cms/prod', result: 'cmsprod', comment: 'production' },
  { group: '/cms', result: 'old', ignore: 'since May' },
  { sub: 'eve', result: 'eve', ignore: true },
  { username: 'carol', result: 'carol_local', path: '/home/carol' },
]);
const question: NameQuestion = {
  subject: 'x',
  username: '',
  groups: [],
  path: '/data/home/bob/f',
  basePaths: ['/data'],
  compares: 'segments',
};

for (const [what, change, user] of [
  ['subject and path', { subject: 'bob' }, 'bob'],
  ['a path beside it', { subject: 'bob', path: '/data/home/bobby/f' }, 'none'],
  ['a path beside it, before 5.9.3', { subject: 'bob', path: '/data/home/bobby/f', compares: 'characters' }, 'bob'],
  ['a path that goes up', { subject: 'bob', path: '/data/home/bob/../../x' }, 'none'],
  ['a group', { groups: ['/cms', '/cms/prod'] }, 'cmsprod'],
  ['a group, outside of the base path', { groups: ['/cms/prod'], path: '/other' }, 'none'],
  ['a rule with ignore as text', { groups: ['/cms'] }, 'none'],
  ['a rule with ignore: true, which XRootD does not pass over', { subject: 'eve' }, 'eve'],
  ['the user of the section', { username: 'carol', path: '/data/home/carol' }, 'carol_local'],
  ['a base path of everything', { subject: 'bob', path: '/home/bob', basePaths: ['/'] }, 'bob'],
] as const) {
  test(`XRootD's name_mapfile: ${what} gives ${user}`, () => {
    const reading = readNameMapfile(nameMapfile, 'names.json');
    assert.ok(reading.kind === 'mapfile');
    const found = mapByNameMapfile(reading.rules, { ...question, ...change });
    assert.equal(found.kind === 'mapped' ? found.user : found.kind, user);
  });
}

test("what XRootD's name_mapfile makes of odd rules is told, and a file it does not take is refused", () => {
  const odd = readNameMapfile(JSON.stringify([{ result: 'all', username: 7, gruop: '/x', ignore: true }]), 'n.json');
  assert.ok(odd.kind === 'mapfile');
  assert.match(
    odd.findings.map(({ message }) => message).join('\n'),
    /"gruop"[\s\S]*"ignore" does not count[\s\S]*"username"[\s\S]*everybody becomes all/,
  );
  for (const bad of ['{', '{}', '[7]', '[{"result":7}]', '[{"sub":"x"}]', '[{"path":"x","result":"y"}]']) {
    assert.equal(readNameMapfile(bad, 'n.json').kind, 'refused', bad);
  }
});

test('the answer is a sentence that names the rule', async () => {
  const rules = await rulesOf(yaml);
  const mapping = mapIdentity({ kind: 'rules', rules }, identity({ sub: 'alice' }));
  assert.deepEqual(mapping, {
    kind: 'mapped',
    user: 'alice',
    by: 'rules.yaml, rule 5',
    why: `subject alice of ${cms} is alice by rules.yaml, rule 5`,
  });
  const nobody = mapIdentity({ kind: 'rules', rules }, identity({ sub: 'x', 'wlcg.groups': ['/cms/pilot'] }));
  assert.ok(nobody.kind === 'refused' && nobody.code === 'unmapped');
});

test('the rules that docs/map-identities.md shows are read, and mean what it says', async () => {
  const page = readFileSync(new URL('../../docs/map-identities.md', import.meta.url), 'utf8');
  const rules = await rulesOf(/^```yaml\n(rules:\n[\s\S]*?)^```/m.exec(page)?.[1] ?? '');
  const asked = (claims: Record<string, unknown>) => short(mapByRules(rules, identity(claims)));
  assert.equal(asked({ 'wlcg.groups': ['/cms', '/cms/production'], scope: 'compute.create' }), 'cmsprod');
  assert.equal(asked({ 'wlcg.groups': ['/cms', '/cms/production'] }), 'cmsuser');
  assert.equal(asked({ sub: '7dee38a3-6ab8-4fe2-9e4c-58039c21d017', 'wlcg.groups': ['/cms'] }), 'denied');
  assert.equal(asked({ iss: 'https://login.example.org', sub: 'labrat' }), 'labrat');
});
