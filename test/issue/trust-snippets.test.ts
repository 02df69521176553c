import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/fault/fault.ts';
import { mapfileLine, type TrustWish, trustSnippet } from '../../src/issue/trust-snippets.ts';
import { type MapfileLine, readMapfile } from '../../src/verify/ce-mapfile.ts';
import { doubtsAbout } from '../../src/verify/ce-mapfile-lint.ts';
import { mapByMapfile } from '../../src/verify/ce-mapfile-match.ts';
import { mapByNameMapfile, readNameMapfile } from '../../src/verify/name-mapfile.ts';
import { readScitokensCfg } from '../../src/verify/scitokens-cfg.ts';

const linesOf = (text: string): readonly MapfileLine[] => {
  const { entries, findings } = readMapfile(text, 'm.conf');
  assert.deepEqual(findings, []);
  return entries.filter((entry) => entry.kind === 'line');
};
const userOf = (lines: readonly MapfileLine[], principal: string): string => {
  const found = mapByMapfile(lines, 'SCITOKENS', principal);
  return found.kind === 'mapped' ? found.user : found.kind;
};

const wish: TrustWish = { issuer: 'https://vo.example/osg-connect', user: 'osg', basePath: '/data' };

test("the line for an issuer is the one that OSG's package writes, and for ATLAS the slash at the end stays", () => {
  assert.equal(mapfileLine(wish), String.raw`SCITOKENS /^https:\/\/vo\.example\/osg-connect,/ osg`);
  const atlas = { issuer: 'https://atlas-auth.web.cern.ch/', subject: '7dee38a3-6ab8', user: 'atlasprd' };
  assert.equal(
    mapfileLine(atlas),
    String.raw`SCITOKENS /^https:\/\/atlas-auth\.web\.cern\.ch\/,7dee38a3-6ab8$/ atlasprd`,
  );
});

const issuers = fc
  .tuple(fc.domain(), fc.stringMatching(/^(\/[A-Za-z0-9._~!$&'()*+=:@-]{0,12}){0,3}$/))
  // `.` and `..` are no parts of the name of an issuer.
  .filter(([, path]) => !/\/\.{1,2}(\/|$)/.test(path))
  .map(([host, path]) => `https://${host}${path}`);
const subjects = fc.stringMatching(/^[ -~]{1,40}$/);

test('a line fits its issuer and subject, whatever they hold, and no other name', () => {
  fc.assert(
    fc.property(issuers, subjects, fc.nat(), fc.stringMatching(/^[ -~]$/), (issuer, subject, where, other) => {
      const lines = linesOf(mapfileLine({ issuer, subject, user: 'vo' }));
      assert.deepEqual(lines.flatMap(doubtsAbout), []);
      const principal = `${issuer},${subject}`;
      assert.equal(userOf(lines, principal), 'vo');
      const at = where % (principal.length + 1);
      for (const near of [
        `${principal.slice(0, at)}${other}${principal.slice(at)}`,
        `${principal.slice(0, at)}${other}${principal.slice(at + 1)}`,
        `${principal.slice(0, at)}${principal.slice(at + 1)}`,
        `x${principal}`,
        principal.toUpperCase(),
      ]) {
        if (near !== principal) assert.equal(userOf(lines, near), 'none', near);
      }
    }),
  );
});

test('a line without a subject fits every subject of its issuer, and of no other', () => {
  fc.assert(
    fc.property(issuers, subjects, fc.stringMatching(/^[!-+\--~]{1,5}$/), (issuer, subject, more) => {
      const lines = linesOf(mapfileLine({ issuer, user: 'vo' }));
      assert.equal(userOf(lines, `${issuer},${subject}`), 'vo');
      assert.equal(userOf(lines, `${issuer}${more},${subject}`), 'none');
      assert.equal(userOf(lines, `${issuer.slice(0, -1)},${subject}`), 'none');
    }),
  );
});

test('what parsers of URLs mend without a word is no name of an issuer', () => {
  for (const issuer of [
    'https:vo.example',
    'https:///vo.example',
    'https://vo.example\\osg',
    'https://vo.example/ osg',
    'https://vo.example/osg ',
    'https://vo.example/\tosg',
    'https://bücher.example',
    'https://vo.example/osg/../other',
    'https://vo.example/osg/%2E%2e/other',
    'https://vo.example/.',
  ])
    assert.throws(() => trustSnippet('xrootd', { ...wish, issuer }), { code: 'usage' }, issuer);
  for (const issuer of ['HTTPS://VO.example', 'https://vo.example:8443/.hidden/a..b', 'https://[::1]/x'])
    assert.equal(trustSnippet('xrootd', { ...wish, issuer }).service, 'xrootd');
});

test("the section for XRootD is read by the reader of XRootD's configuration, without a finding", () => {
  fc.assert(
    fc.property(issuers, fc.constantFrom('/', '/data', '/data/vo.d'), (issuer, basePath) => {
      const { parts } = trustSnippet('xrootd', { ...wish, issuer, basePath, audience: 'https://se.example:1094' });
      const { config, findings } = readScitokensCfg(parts[0]?.text ?? '', 'scitokens.cfg');
      assert.deepEqual(findings, []);
      const [section] = config.issuers;
      assert.deepEqual(
        [section?.issuer, section?.basePaths, section?.defaultUser, config.audiences],
        [issuer, [basePath], 'osg', ['https://se.example:1094']],
      );
    }),
  );
});

test('for one subject XRootD gets a name_mapfile that names this one only', () => {
  const subject = 'a "quoted" \\ one';
  const { parts } = trustSnippet('xrootd', { ...wish, subject });
  const [section, names] = parts;
  assert.match(section?.text ?? '', /name_mapfile = \/etc\/xrootd\/vo\.example-osg-connect\.map\.json\n$/);
  const reading = readNameMapfile(names?.text ?? '', 'm.json');
  assert.ok(reading.kind === 'mapfile' && reading.findings.length === 0);
  const question = { username: '', groups: [], path: '/data/x', basePaths: ['/data'], compares: 'segments' } as const;
  assert.equal(mapByNameMapfile(reading.rules, { ...question, subject }).kind, 'mapped');
  assert.equal(mapByNameMapfile(reading.rules, { ...question, subject: 'a' }).kind, 'none');
});

for (const [what, change] of [
  ['an issuer over plain http', { issuer: 'http://vo.example' }],
  ['an issuer with a comma, which would be two things', { issuer: 'https://vo.example,x' }],
  ['an issuer with a line end', { issuer: 'https://vo.example/\nSCITOKENS /.*/ root' }],
  ['an issuer with a query', { issuer: 'https://vo.example/?x' }],
  ['a subject with a line end', { subject: 'x\nSCITOKENS /.*/ osg' }],
  ['root', { user: 'root' }],
  ['a user with a blank', { user: 'a b' }],
  ['a base path that goes up', { basePath: '/data/../etc' }],
  ['a base path that is a list', { basePath: '/data,/home' }],
  ['an audience with a comma', { audience: 'a,b' }],
  ['an audience that HTCondor would fill in', { audience: 'https://$(FULL_HOSTNAME)' }],
  ['an audience that swallows the next line', { audience: 'https://ce.example\\' }],
] as const) {
  test(`${what} is refused`, () => {
    for (const service of ['htcondor-ce', 'xrootd'] as const) {
      const wrong = () => trustSnippet(service, { ...wish, ...change });
      assert.throws(wrong, (thrown) => thrown instanceof Fault && thrown.code === 'usage');
    }
  });
}
