import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/fault/fault.ts';
import { type MapfileLine, readMapfile } from '../../src/verify/ce-mapfile.ts';
import { readMapfiles } from '../../src/verify/ce-mapfile-files.ts';
import { doubtsAbout } from '../../src/verify/ce-mapfile-lint.ts';
import { mapByMapfile } from '../../src/verify/ce-mapfile-match.ts';
import { matchPattern, readPattern } from '../../src/verify/ce-mapfile-pattern.ts';
import { identityOf } from '../../src/verify/mapping-identity.ts';
import { realWorld } from '../../src/world/real-world.ts';

const { files } = realWorld();
const dir = await mkdtemp(join(tmpdir(), 'tokeep-mapfile-'));
after(() => rm(dir, { recursive: true }));

const read = (text: string) => readMapfile(text, 'm.conf');
const linesOf = (text: string): readonly MapfileLine[] => read(text).entries.filter((entry) => entry.kind === 'line');

/** In short: the user, or what else came of it. */
function answer(text: string, principal: string): string {
  const found = mapByMapfile(linesOf(text), 'SCITOKENS', principal);
  return found.kind === 'mapped' ? found.user : found.kind;
}

// As the mapfiles of OSG's package, HTCondor-CE and its sites have them.
const osg = String.raw`
## OSG ##
# description: pilots
SCITOKENS /^https\:\/\/scitokens\.org\/osg\-connect,/ osg
SCITOKENS /^https\:\/\/cilogon\.org\/gm2,gm2pilot\@fnal\.gov$/ gm2pilot
SCITOKENS /^https:\/\/atlas-auth\.web\.cern\.ch\/,7dee38a3-6ab8-4fe2-9e4c-58039c21d017$/ atlasprd
CLAIMTOBE /.*/ anonymous@claimtobe
FS /(.*)/ \1
`;
for (const [principal, user] of [
  ['https://scitokens.org/osg-connect,vofrontend-SLATE_US_MNSU_DISCOVERY', 'osg'],
  ['https://scitokens.org/osg-connect2,x', 'none'],
  ['https://scitokensXorg/osg-connect,x', 'none'],
  ['https://cilogon.org/gm2,gm2pilot@fnal.gov', 'gm2pilot'],
  ['https://cilogon.org/gm2,gm2pilot@fnal.gov.example', 'none'],
  ['https://atlas-auth.web.cern.ch/,7dee38a3-6ab8-4fe2-9e4c-58039c21d017', 'atlasprd'],
  ['https://atlas-auth.web.cern.ch,7dee38a3-6ab8-4fe2-9e4c-58039c21d017', 'none'],
] as const) {
  test(`OSG's mapfile: ${principal} is ${user}`, () => assert.equal(answer(osg, principal), user));
}

for (const [what, line, principal, user] of [
  ['a pattern between slashes', String.raw`SCITOKENS /^https:\/\/a\.b,x$/ u`, 'https://a.b,x', 'u'],
  ['an exact name', 'SCITOKENS https://a.b,x u', 'https://a.b,x', 'u'],
  ['an exact name is no pattern', 'SCITOKENS https://a.b,x u', 'https://a-b,x', 'none'],
  ['an exact name in quotes, with a blank', 'SCITOKENS "https://a.b,x \\"y\\"" u', 'https://a.b,x "y"', 'u'],
  ['a method in small letters', 'scitokens https://a.b,x u', 'https://a.b,x', 'u'],
  ['another method', 'SSL /.*/ u', 'https://a.b,x', 'none'],
  ['tabs, and words after the user', '\tSCITOKENS\thttps://a.b,x\tu and more', 'https://a.b,x', 'u'],
  ['a group', String.raw`SCITOKENS /^https:\/\/a\.b,([a-z]+)$/ \1@pool`, 'https://a.b,alice', 'alice@pool'],
  ['the whole name', String.raw`SCITOKENS /^a,b$/ x\0`, 'a,b', 'unusable'],
  ['a group that took no part stays a number', String.raw`SCITOKENS /^a,(b)|(c)$/ u\2`, 'a,b', 'unusable'],
  ['without case', 'SCITOKENS /^HTTPS,X$/i u', 'https,x', 'u'],
  ['ungreedy', String.raw`SCITOKENS /^a,(x+)(x*)$/U \2`, 'a,xxx', 'xx'],
  ['before a line end', 'SCITOKENS /^a,b$/ u', 'a,b\n', 'none'],
  ['banned', 'SCITOKENS /^a,/ x@banned.htcondor.org', 'a,b', 'banned'],
  ['plugins', 'SCITOKENS /^a,/ PLUGIN:A,B', 'a,b', 'plugin'],
  ['a backslash in the subject', String.raw`SCITOKENS /^a,b\\\\c$/ u`, 'a,b\\c', 'u'],
  ['a user in quotes', 'SCITOKENS /^a,/ "u"', 'a,b', 'u'],
] as const) {
  test(`a mapfile as HTCondor reads it: ${what}`, () => assert.equal(answer(line, principal), user));
}

test('the first line that fits decides, whatever comes after it', () => {
  const text = 'SCITOKENS /^a,b$/ x@banned.htcondor.org\nSCITOKENS a,b second\nSCITOKENS /.*/ third';
  assert.equal(answer(text, 'a,b'), 'banned');
  assert.equal(answer(text, 'a,c'), 'third');
});

test('a pattern that is not understood stops there, since it may be the one that fits', () => {
  const text = 'SCITOKENS /^(?>a),/ u\nSCITOKENS a,b second';
  assert.equal(answer(text, 'a,b'), 'unknown');
});

test('a pattern that never ends is given up within a fraction of a second', () => {
  assert.equal(answer('SCITOKENS /^(a+)+$/ u', `${'a'.repeat(60)},`), 'unknown');
  assert.equal(answer('SCITOKENS /^.*.*.*.*.*.*=$/ u', 'a'.repeat(1500)), 'unknown');
  // Nothing in these repeats without end; each choice doubles the time.
  const begun = performance.now();
  assert.equal(answer(`SCITOKENS /^${'(a|a)'.repeat(30)}$/ u`, `${'a'.repeat(30)}=`), 'unknown');
  assert.equal(answer(`SCITOKENS /^${'(?:aa?)?'.repeat(40)}$/ u`, `${'a'.repeat(60)}=`), 'unknown');
  assert.ok(performance.now() - begun < 5_000);
});

// Each was compared with grep -P, which has the library that HTCondor has.
for (const [pattern, text, fits] of [
  ['^a.b$', 'a\rb', true],
  ['^a.b$', 'a\nb', false],
  ['^b$', 'b\n', true],
  ['^b\\z', 'b\n', false],
  ['^b\\Z', 'b\n', true],
  ['[[:alnum:]]+', '-a-', true],
  ['^[]a]+$', ']a', true],
  ['^[^]a]$', ']', false],
  ['^\\Qa.b\\E$', 'a.b', true],
  ['^\\Qa.b\\E$', 'axb', false],
  ['^\\x61\\x{62}$', 'ab', true],
  ['^(?P<one>a)b$', 'ab', true],
  ['(?i)^AB$', 'ab', true],
  ['^\\s$', '\u00a0', false],
  ['^..$', 'é', true],
  ['^[a[]+$', 'a[', true],
  ['^a{2}$', 'aa', true],
  ['^a{x}$', 'a{x}', true],
] as const) {
  test(`the pattern ${pattern} ${fits ? 'fits' : 'does not fit'} ${JSON.stringify(text)}, as in PCRE`, () => {
    const reading = readPattern(pattern, '');
    assert.ok(reading.kind === 'pattern');
    assert.equal(matchPattern(reading, text).kind, fits ? 'match' : 'no match');
  });
}

for (const pattern of [
  '(a',
  'a++',
  '(?>a)',
  '(a)\\1',
  '(?R)',
  '(*FAIL)',
  '\\h',
  '\\K',
  '*a',
  '$*',
  '(?i:a)',
  '\\p{L}',
  '[[:constructor:]]',
]) {
  test(`the pattern ${pattern} is not understood, and that is said`, () => {
    assert.equal(readPattern(pattern, '').kind, 'refused');
  });
}

test('reading never fails, whatever the file holds', () => {
  const text = fc.stringMatching(/^[ -~\t\r\né]{0,200}$/);
  fc.assert(
    fc.property(text, fc.string(), (mapfile, principal) => {
      const lines = linesOf(`SCITOKENS ${mapfile}`);
      mapByMapfile(lines, 'SCITOKENS', principal);
      lines.flatMap(doubtsAbout);
    }),
  );
});

for (const [line, says] of [
  [String.raw`SCITOKENS /^https:\/\/scitokens.org\/osg-connect,.*/ osg`, /"\." of the issuer has no backslash/],
  [String.raw`SCITOKENS /^https:\/\/scitokens\.org\/osg-connect/ osg`, /no "," after the issuer/],
  [String.raw`SCITOKENS /^https:\/\/scitokens\.org\/osg-connect,pilot/ osg`, /no "\$" after the subject/],
  [String.raw`SCITOKENS /https:\/\/scitokens\.org\/osg-connect,/ osg`, /does not begin with "\^"/],
  [String.raw`SCITOKENS ^https://scitokens\.org/osg-connect,.* osg`, /not between slashes/],
  ['SCITOKENS https://scitokens.org/osg-connect osg', /has no comma/],
  ['SCITOKENS /https://atlas-auth.web.cern.ch/,7dee38a3/ atlasprd', /ends at its first "\/" without a backslash/],
  ['SCITOKENS /^a,b$/ u\r', /the line ends as in Windows/],
] as const) {
  test(`a classic mistake is told: ${line.trim()}`, () => {
    const [first] = linesOf(line);
    assert.ok(first !== undefined);
    assert.match(
      doubtsAbout(first)
        .map(({ message }) => message)
        .join('\n'),
      says,
    );
  });
}

test('lines without a mistake are not doubted, nor those of other methods', () => {
  const good = String.raw`
SCITOKENS /^https\:\/\/scitokens\.org\/osg\-connect,/ osg
SCITOKENS /^https:\/\/a\.b,(alice|bob)$/ \1
SCITOKENS /^https:\/\/a\.b,.*/ x
SCITOKENS /.*/ PLUGIN:*
SCITOKENS https://a.b,x y
SSL /.*,\/GLOW\/Role=htpc.*/ glow`;
  assert.deepEqual(linesOf(good).flatMap(doubtsAbout), []);
});

test('a line with too few fields is skipped, as HTCondor does, and told of with its place', () => {
  const { entries, findings } = read('SCITOKENS /^a,/\n\n@include\n');
  assert.deepEqual(entries, []);
  assert.deepEqual(
    findings.map(({ file, line, severity }) => `${file}:${line} ${severity}`),
    ['m.conf:1 error', 'm.conf:3 error'],
  );
});

for (const [principal, says] of [
  ['https://i.example,x', /with a slash at its end/],
  ['https://j.example/,x', /without the slash at its end/],
  ['https://j.example,X', /upper and lower case/],
] as const) {
  test(`nobody fits ${principal}, and the line that nearly does is named`, () => {
    const lines = linesOf(String.raw`
SCITOKENS /^https:\/\/i\.example\/,x$/ u
SCITOKENS https://j.example,x v`);
    const found = mapByMapfile(lines, 'SCITOKENS', principal);
    assert.ok(found.kind === 'none' && found.nearest !== undefined);
    assert.match(found.nearest.why, says);
  });
}

test('directories are read in the order of their names, what packagers leave behind is not, includes go one deep', async () => {
  const inner = join(dir, 'mapfiles.d');
  await mkdir(inner);
  await writeFile(join(dir, 'condor_mapfile'), '@include mapfiles.d/\n@include nowhere.conf\nSCITOKENS a,b last\n');
  await writeFile(join(inner, '10-a.conf'), 'SCITOKENS a,a first\n');
  await writeFile(join(inner, '50-b.conf'), '@include 10-a.conf\nSCITOKENS a,c second\n');
  await writeFile(join(inner, '10-a.conf.rpmsave'), 'SCITOKENS a,d old\n');
  await writeFile(join(inner, '.hidden'), 'SCITOKENS a,d old\n');
  const { lines, findings } = await readMapfiles(files, [join(dir, 'condor_mapfile')]);
  assert.deepEqual(
    lines.map(({ canonical }) => canonical),
    ['first', 'second', 'last'],
  );
  assert.match(findings.map(({ message }) => message).join('\n'), /inside an included file[\s\S]*nothing is included/);
  const direct = await readMapfiles(files, [`${inner}/`]);
  assert.deepEqual(direct.lines[0]?.file, join(inner, '10-a.conf'));
});

test('a mapfile that is named and is not there is a fault of the configuration', async () => {
  const missing = readMapfiles(files, [join(dir, 'none')]);
  await assert.rejects(missing, (thrown) => thrown instanceof Fault && thrown.code === 'usage');
});

test('of the groups of a token those count that are groups, and of each other one there is a remark', () => {
  const claims = { iss: 'https://cms.example', sub: 'x', 'wlcg.groups': ['/cms/Role=pilot', '/cms/uscms', 'cms'] };
  const reading = identityOf(claims);
  assert.ok(reading.kind === 'identity');
  assert.deepEqual(reading.identity.groups, ['/cms/uscms']);
  assert.equal(reading.remarks.length, 2);
  assert.match(
    String(reading.remarks[0]),
    /^a group does not count: in wlcg.groups, the group "\/cms\/Role=pilot" has a role/,
  );
  const text = identityOf({ ...claims, 'wlcg.groups': '/cms' });
  assert.match((text.kind === 'identity' && text.remarks.join()) || '', /^the groups do not count: /);
});
