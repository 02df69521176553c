import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { millis } from '../../src/token/time.ts';
import { everywhere } from '../../src/verify/areas.ts';
import { decide } from '../../src/verify/authorize.ts';
import { readMapfile } from '../../src/verify/ce-mapfile.ts';
import { mapByMapfile } from '../../src/verify/ce-mapfile-match.ts';
import { presentToken } from '../../src/verify/explain-signature.ts';
import type { PresentedToken, Verdict } from '../../src/verify/explanation.ts';
import { readKeySet } from '../../src/verify/jwks.ts';
import { KeyCache } from '../../src/verify/key-cache.ts';
import type { StorageDeed } from '../../src/verify/quirks-xrootd.ts';
import { wholeServerOf } from '../../src/verify/scitokens-cfg.ts';
import { releasesOf, type ServiceRelease } from '../../src/verify/services.ts';
import { askHtcondor, type HtcondorSetting } from '../../src/verify/services-htcondor.ts';
import { askXrootd, type XrootdSetting } from '../../src/verify/services-xrootd.ts';
import { actionOf } from '../../src/verify/services-xrootd-denial.ts';
import { Verifier } from '../../src/verify/verifier.ts';
import { realRandom } from '../../src/world/real-random.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { issuer, jwksOf, noon, noonSeconds, signToken, trustIn } from './signing.ts';
import { authorization, ec, everyoneOfWlcg, type MatrixRow, rsa, server, validation } from './xrootd-matrix.ts';

const reading = readKeySet(jwksOf(ec, rsa));
const keys = reading.kind === 'keys' ? reading.set : assert.fail();

const setting: XrootdSetting = {
  now: noon,
  audiences: [server, everyoneOfWlcg],
  onMissing: 'deny',
  issuers: [wholeServerOf(issuer)],
};

function presented(text: string | undefined): PresentedToken | undefined {
  const presenting = presentToken(text ?? '', keys);
  return presenting.kind === 'token' ? presenting.token : undefined;
}

function ask({ token, ...request }: MatrixRow, release: ServiceRelease, change: Partial<XrootdSetting> = {}): Verdict {
  const { habits, library } = release;
  assert.ok(habits !== undefined);
  return askXrootd(presented(token), request, { ...setting, ...change }, { habits, library });
}

for (const [index, release] of releasesOf('xrootd').entries()) {
  test(`the model of XRootD ${release.version} decides on the whole matrix as XRootD did`, () => {
    for (const row of [...validation, ...authorization]) {
      const verdict = ask(row, release);
      assert.equal(verdict.accepted, row.measured[index], `${row.name}: ${verdict.why}`);
      if (!verdict.accepted) assert.ok(verdict.rule !== '' && !/undefined|\[object/.test(verdict.why), verdict.why);
    }
  });
}

const clock = new TestClock(noon);
const cache = new KeyCache({
  world: {
    clock,
    http: { send: () => Promise.reject(new Error('no network')), close: () => Promise.resolve() },
    random: realRandom,
  },
});
/** Without the tolerance for clocks, which the services do not have either. */
const trust = trustIn([ec, rsa], { audiences: [server, everyoneOfWlcg], tolerance: millis(0) });
const verifier = new Verifier({ trusted: [trust], keys: cache, clock });

/** As `tokeep can` decides. */
function strictly({ token, deed, path }: MatrixRow): { readonly accepted: boolean; readonly why: string } {
  const verified = verifier.verifyNow(token ?? '');
  if (verified.kind === 'keys-needed') assert.fail();
  if (verified.kind === 'refused') return { accepted: false, why: verified.why };
  const target = deed === 'mkdir' ? 'directory' : 'unknown';
  const decision = decide(verified.token, { action: actionOf[deed], path, target }, everywhere);
  return { accepted: decision.kind === 'allowed', why: decision.why };
}

test('VER-01, VER-02, VER-03, VER-05, VER-08, VER-09: the strict verdict on the whole matrix is what it should be', () => {
  const wrong: string[] = [];
  for (const row of [...validation, ...authorization]) {
    const { accepted, why } = strictly(row);
    if (row.should !== 'either' && accepted !== row.should) wrong.push(`${row.name}: ${why}`);
  }
  assert.deepEqual(wrong, []);
});

const ce = 'ce.testpool.local:9619';
const lines = readMapfile(`SCITOKENS /^https:\\/\\/issuer\\.example,robot$/ pool`, '10-pool.conf').entries.filter(
  (entry) => entry.kind === 'line',
);
const htcondor: HtcondorSetting = { now: noon, audiences: [ce], mapfile: lines };

/** Claims, whether READ and WRITE were given by HTCondor 23.9.6 with libscitokens 1.1.3, and what it logged. */
const pool: readonly (readonly [string, Readonly<Record<string, unknown>>, boolean, boolean, string?])[] = [
  ['ver scitoken:2.0, right aud', { ver: 'scitoken:2.0', scope: 'condor:/READ condor:/WRITE' }, true, true],
  ['scitokens:2.0, aud ANY', { ver: 'scitokens:2.0', aud: 'ANY', scope: 'condor:/READ condor:/WRITE' }, true, true],
  [
    'wlcg, four scopes',
    { 'wlcg.ver': '1.0', scope: 'compute.read compute.modify compute.create compute.cancel' },
    true,
    true,
  ],
  ['wlcg, two scopes', { 'wlcg.ver': '1.0', scope: 'compute.read compute.create' }, true, false],
  [
    'wlcg, for everyone',
    { 'wlcg.ver': '1.0', aud: everyoneOfWlcg, scope: 'compute.read compute.modify compute.create compute.cancel' },
    true,
    true,
  ],
  ['aud list', { ver: 'scitoken:2.0', aud: ['x', ce], scope: 'condor:/READ' }, true, false],
  ['no ver', { scope: 'condor:/READ condor:/WRITE' }, true, true],
  [
    '2.0 without aud',
    { ver: 'scitoken:2.0', aud: undefined },
    false,
    false,
    "'aud' claim required for SciTokens 2.0 profile",
  ],
  ['no ver, no aud', { aud: undefined }, false, false, "'aud' claim is mandatory"],
  ['wrong aud', { ver: 'scitoken:2.0', aud: 'elsewhere:9619' }, false, false, "'aud' claim verification failed"],
  ['read:/x only', { ver: 'scitoken:2.0', scope: 'read:/x' }, false, false],
  ['no scope', { ver: 'scitoken:2.0', scope: undefined }, false, false, "'scope' claim is mandatory"],
  ['expired', { ver: 'scitoken:2.0', exp: noonSeconds - 1 }, false, false, 'token expired'],
  ['nbf in the future', { ver: 'scitoken:2.0', nbf: noonSeconds + 100 }, false, false, 'token expired'],
  ['no sub', { ver: 'scitoken:2.0', sub: undefined }, false, false, 'Unable to retrieve token subject: std::bad_cast'],
  ['iat null', { ver: 'scitoken:2.0', iat: null }, false, false, 'std::bad_cast'],
  [
    'unmapped sub',
    { ver: 'scitoken:2.0', sub: 'nobody' },
    false,
    false,
    'Failed to map SCITOKENS authenticated identity',
  ],
];

test('the model of HTCondor 23.9.6 decides as HTCondor did, and knows what it logged', () => {
  const [release] = releasesOf('htcondor-ce');
  assert.ok(release !== undefined);
  for (const [name, claims, read, write, log] of pool) {
    const all = { 'wlcg.ver': undefined, aud: ce, scope: 'condor:/READ condor:/WRITE', ...claims };
    const token = presented(signToken(ec, { claims: all }));
    const toRead = askHtcondor(token, 'compute.read', htcondor, release.library);
    const toWrite = askHtcondor(token, 'compute.create', htcondor, release.library);
    assert.equal(toRead.accepted, read, `${name}: ${toRead.why}`);
    assert.equal(toWrite.accepted, write, `${name}: ${toWrite.why}`);
    if (log !== undefined) assert.ok(toRead.log?.includes(log), `${name}: ${toRead.log}`);
  }
});

test('the line that is proposed for a mapfile fits its subject, whatever that is called, and no other issuer', () => {
  const [release] = releasesOf('htcondor-ce');
  const token = presented(signedOnce) ?? assert.fail();
  const subject = fc.string({
    unit: fc.constantFrom(...String.raw`a\||.*$^()[]{}?+/"QE s,`),
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(subject, (sub) => {
      const odd = { ...token, claims: { ...token.claims, aud: ce, sub } };
      const { fix } = askHtcondor(odd, 'compute.read', { ...htcondor, mapfile: [] }, release?.library ?? assert.fail());
      const line = /SCITOKENS .*/.exec(fix ?? '')?.[0].replace(/USER$/, 'alice') ?? '';
      const proposed = readMapfile(line, 'm').entries.filter((entry) => entry.kind === 'line');
      assert.equal(mapByMapfile(proposed, 'SCITOKENS', `${issuer},${sub}`).kind, 'mapped', line);
      assert.equal(mapByMapfile(proposed, 'SCITOKENS', `https://elsewhere.example,${sub}`).kind, 'none', line);
    }),
    { examples: [[String.raw`x\|a`], [String.raw`\Qx`], ['a b']] },
  );
});

const segment = fc.constantFrom('a', 'b', 'ab', 'data');
const path = fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`);
const operation = fc.constantFrom('read', 'create', 'modify', 'stage');
const scopes = fc.array(fc.tuple(operation, path), { minLength: 1, maxLength: 3 });
const deed = fc.constantFrom<StorageDeed>('read', 'create', 'modify', 'delete', 'rename');

/** With the signature left out: what a token of these claims would be good for. */
function askFor(scope: string, request: Pick<MatrixRow, 'deed' | 'path'>, release: ServiceRelease): boolean {
  const { claims, header } = presented(signedOnce) ?? assert.fail();
  const token: PresentedToken = { header, claims: { ...claims, scope }, signature: { kind: 'good' } };
  const { habits, library } = release;
  assert.ok(habits !== undefined);
  return askXrootd(token, { ...request, presentation: 'header' }, setting, { habits, library }).accepted;
}
const signedOnce = signToken(ec, { claims: { aud: server } });

test('VER-09: for scopes as the profile wants them, releases that compare by segments decide as strictly as we do', () => {
  const [old, ...newer] = releasesOf('xrootd');
  assert.ok(old !== undefined);
  fc.assert(
    fc.property(scopes, deed, path, (held, one, wanted) => {
      const words = held.map(([name, at]) => `storage.${name}:${at}`);
      const bearer = { profile: 'wlcg', scopes: words, groups: [] } as const;
      const strict = decide(bearer, { action: actionOf[one], path: wanted }, everywhere).kind === 'allowed';
      const request = { deed: one, path: wanted };
      for (const release of newer) assert.equal(askFor(words.join(' '), request, release), strict, words.join(' '));
      if (strict && one !== 'delete')
        assert.ok(askFor(words.join(' '), request, old), 'letters give more than segments');
    }),
  );
});

const good = validation[0] ?? assert.fail();

test('what lies outside of base_path and restricted_path is refused, and 5.5.3 gives nothing to a scope above restricted_path', () => {
  const [issuerHere] = setting.issuers;
  assert.ok(issuerHere !== undefined);
  const limited = { issuers: [{ ...issuerHere, basePaths: ['/store'], restrictedPaths: ['/open'] }] };
  const at = (where: string, index: number) => {
    const release = releasesOf('xrootd')[index] ?? assert.fail();
    return ask({ ...good, path: where }, release, limited);
  };
  assert.deepEqual(
    [0, 1, 2].map((index) => at('/store/open/f', index).accepted),
    [false, true, true],
  );
  assert.equal(at('/store/open/f', 0).rule, 'restricted_path');
  assert.match(at('/store/open/f', 0).why, /before 5\.6\.9 a scope above it gives nothing/);
  assert.deepEqual(
    [1, 2].map((index) => at('/store/closed', index).accepted),
    [false, false],
  );
  assert.equal(at('/elsewhere', 2).rule, 'base_path');
  assert.equal(at('/elsewhere', 2).turn, 'site');
});

test('onmissing decides about what the token does not', () => {
  const release = releasesOf('xrootd')[2] ?? assert.fail();
  const refused = { ...good, token: signToken(ec, { claims: { aud: 'elsewhere' } }) };
  const allow = ask(refused, release, { onMissing: 'allow' });
  assert.equal(allow.accepted, true);
  assert.match(allow.why, /onmissing = allow lets in everybody, although the token has the audience elsewhere/);
  const pass = ask(refused, release, { onMissing: 'passthrough' });
  assert.equal(pass.accepted, false);
  assert.match(pass.remarks.join(), /authdb/);
});

test('quirks are named where a token is accepted because of them', () => {
  const remarksOf = (name: string, index: number) => {
    const row = [...validation, ...authorization].find((one) => one.name === name) ?? assert.fail(name);
    const verdict = ask(row, releasesOf('xrootd')[index] ?? assert.fail());
    return [verdict.why, ...verdict.remarks, verdict.fix ?? ''].join('; ');
  };
  assert.match(remarksOf('header crit unknown', 2), /\(crit\), which are ignored/);
  assert.match(remarksOf('storage.read (no path)', 2), /has no path and holds for "\/"/);
  assert.match(remarksOf('storage.read:data (relative)', 2), /does not start with "\/"/);
  assert.match(remarksOf('storage.read:/data/', 1), /slash at the end .* is dropped/);
  assert.match(remarksOf('storage.read:/foo on /foobar/file', 0), /letter by letter/);
  assert.match(remarksOf('storage.read:/foo/../data', 1), /followed instead of refused/);
  assert.match(remarksOf('modify: delete', 0), /looks at a file before deleting it.*storage\.read:\/data\/hello\.txt/);
  assert.match(remarksOf('wlcg.ver 1.2', 2), /although the profile says/);
  assert.match(remarksOf('iss trailing slash', 2), /compared letter by letter/);
  assert.match(remarksOf('nbf +5s (skew)', 2), /no leeway/);
});

/** What libscitokens says of some rows, as it was seen in logs. */
const logged: Readonly<Record<string, string>> = {
  'no kid, two keys in JWKS': 'Key ID empty but multiple keys published.',
  'unknown kid': 'Key ID is not published by the issuer.',
  'kid of other key (ec2 signs as ec1)': 'invalid signature',
  'signature tampered': 'invalid signature',
  'alg none': 'wrong algorithm',
  'alg header RS256 but EC key': 'wrong algorithm',
  'expired 1s ago': 'token expired',
  'iat +5s (skew)': 'token expired',
  'exp missing': "'exp' claim is mandatory",
  'exp as string': 'std::bad_cast',
  'iss unknown': 'Token issuer https://other.example is not in list of allowed issuers.',
  'aud missing (server has list)': "Malformed token: 'aud' claim required for WLCG profile",
  'aud wrong': "'aud' claim verification failed.",
  'wlcg.ver 1.2': 'Unknown WLCG profile version in token: 1.2',
  'ver scitokens:3.0': 'Unknown profile version in token: scitokens:3.0',
  'no ver, unknown claim foo': "'foo' claim verification is mandatory",
  'scope as array': "'scope' claim verification failed.",
  'scope missing': "'scope' claim is mandatory",
};

test('what the server logs of a refused token is known', () => {
  const release = releasesOf('xrootd')[2] ?? assert.fail();
  for (const [name, log] of Object.entries(logged)) {
    const row = validation.find((one) => one.name === name) ?? assert.fail(name);
    assert.equal(ask(row, release).log, log, name);
  }
});

test('how a token is handed over decides, too', () => {
  const answers = (presentation: MatrixRow['presentation']) =>
    releasesOf('xrootd').map((release) => ask({ ...good, presentation }, release).accepted);
  assert.deepEqual(answers('header'), [true, true, true]);
  assert.deepEqual(answers('lower-case-header'), [false, true, true]);
  assert.deepEqual(answers('lower-case-scheme'), [false, false, false]);
});

test('a release is known by its own version and by that of libscitokens', () => {
  const versions = (named?: string) => releasesOf('xrootd', named).map(({ version }) => version);
  assert.deepEqual(versions(), ['5.5.3', '5.8.1', '6.2.0']);
  assert.deepEqual(versions('5.8.1'), ['5.8.1']);
  assert.deepEqual(versions('1.4.1'), ['6.2.0']);
  assert.deepEqual(versions('9.9.9'), []);
});

test('what the page on refused tokens shows of logs, the models of the services log', () => {
  const root = resolve(import.meta.dirname, '../..');
  const page = readFileSync(join(root, 'docs/why-was-my-token-refused.md'), 'utf8');
  const table = page.split('| in the log |')[1]?.split('\n\n')[0] ?? '';
  const shown = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(
    ([, cell = '']) => cell.match(/(?<=`)[^`,]+(?=`)/g) ?? [],
  );
  assert.ok(shown.length > 15);
  const room = join(root, 'src/verify');
  const code = readdirSync(room).filter((name) => /^(quirks|services)/.test(name));
  const models = code.map((name) => readFileSync(join(room, name), 'utf8')).join('\n');
  // Claims and profiles stand in the middle of some; what is constant of them is enough.
  const constant = (text: string) => text.replace(/^'(aud|scope)' /, '').replace(/^Unknown .* version/, 'version');
  for (const text of shown) assert.ok(models.includes(constant(text)), text);
});

const oddValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('', 'a b', '/', '%', 'storage.read:%2', 'read:', 1.5, -1, null),
);
const oddName = fc.constantFrom(
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'scope',
  'ver',
  'wlcg.ver',
  'wlcg.groups',
  'opt',
  'x',
);
const oddClaims = fc.dictionary(oddName, oddValue);

test('whatever a token claims, there is an answer, and a whole sentence', () => {
  const { claims, header } = presented(signedOnce) ?? assert.fail();
  fc.assert(
    fc.property(oddClaims, fc.dictionary(fc.constantFrom('typ', 'crit', 'kid', 'alg'), oddValue), (odd, oddHeader) => {
      const token: PresentedToken = {
        header: { ...header, ...oddHeader },
        claims: { ...claims, ...odd },
        signature: { kind: 'good' },
      };
      const verdicts = releasesOf('xrootd').map(({ habits, library }) =>
        askXrootd(token, good, setting, { habits: habits ?? assert.fail(), library }),
      );
      const [ce] = releasesOf('htcondor-ce');
      verdicts.push(askHtcondor(token, 'compute.create', htcondor, ce?.library ?? assert.fail()));
      for (const { why, rule } of verdicts) assert.ok(rule !== '' && !/undefined|\[object/.test(why), why);
    }),
    {
      examples: [
        [{ aud: [1] }, {}],
        [{ sub: 3 }, {}],
        [{ iss: null }, {}],
        [{ scope: 'constructor:/x __proto__:/ toString' }, {}],
      ],
    },
  );
});
