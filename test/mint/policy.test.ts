import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { claimsOf } from '../../src/mint/claims.ts';
import { judgeRequest } from '../../src/mint/judge-request.ts';
import { fitsAudience, fitsPattern } from '../../src/mint/pattern.ts';
import type { IssueProfile, IssuerPolicy, JsonValue, MintRequest, PolicyAnswer } from '../../src/mint/policy.ts';
import { wholeReason } from '../../src/mint/policy-refusal.ts';
import { parseScope, printScope } from '../../src/token/capability.ts';
import { mayGive } from '../../src/token/narrowing.ts';
import { epoch, hours, millis, minutes, seconds } from '../../src/token/time.ts';
import { newIssuer, request, url } from './issuer-bed.ts';

const now = epoch(1_800_000_000_500);
const policy: IssuerPolicy = newIssuer().policy;
const judge = (
  more: Partial<MintRequest>,
  own: Partial<IssuerPolicy> = {},
  profile: IssueProfile = 'wlcg',
): PolicyAnswer => judgeRequest({ ...policy, ...own }, request(more), url, profile, now);

function refused(answer: PolicyAnswer, error: string, why: RegExp, hint = /./): void {
  assert.ok(answer.kind === 'refused', 'it was allowed');
  assert.equal(answer.error, error);
  assert.match(wholeReason(answer), why);
  assert.doesNotMatch(answer.why, /it allows/);
  assert.match(answer.hint ?? '', hint);
}
function allowed(answer: PolicyAnswer) {
  assert.ok(answer.kind === 'allowed', JSON.stringify(answer));
  return answer;
}

test('scopes are given as far down as the policy has them, in their canonical spelling and each once', () => {
  const { request: settled } = allowed(
    judge({ scopes: ['storage.read:/osg/a%41/', 'storage.read:/osg', 'compute.create', 'storage.read:/osg'] }),
  );
  assert.deepEqual(settled.scopes, ['storage.read:/osg/aA/', 'storage.read:/osg', 'compute.create']);
  const says = /does not allow the scope storage.read:\/osgood; it allows storage.read:\/osg, compute/;
  refused(judge({ scopes: ['storage.read:/osgood'] }), 'invalid_scope', says, /"scopes" below "policy:"/);
  refused(judge({ scopes: ['storage.read:/'] }), 'invalid_scope', /does not allow/);
  refused(judge({ scopes: ['storage.modify:/osg'] }), 'invalid_scope', /does not allow/);
  refused(judge({ scopes: ['openid'] }, { scopes: [] }), 'invalid_scope', /no scopes at all/);
});

test('a storage scope without a path, or with a way out of it, is never signed', () => {
  const open = { scopes: ['*'] };
  for (const scope of ['storage.read', 'storage.read:', 'storage.read:data', 'storage.read:/osg/../etc', 'read']) {
    refused(judge({ scopes: [scope] }, open), 'invalid_scope', /none that may be signed/);
  }
  refused(judge({ scopes: ['a b'] }, open), 'invalid_scope', /is no scope/);
  refused(judge({ scopes: [''] }, open), 'invalid_scope', /is no scope/);
  refused(judge({ scopes: ['x"y'] }, open), 'invalid_scope', /is no scope/);
});

test('a star in a scope of the policy stands for any text, and the path goes on below', () => {
  const own = { scopes: ['storage.read:/home/*/data'] };
  allowed(judge({ scopes: ['storage.read:/home/alice/data'] }, own));
  allowed(judge({ scopes: ['storage.read:/home/alice/data/run1'] }, own));
  refused(judge({ scopes: ['storage.read:/home/alice/database'] }, own), 'invalid_scope', /./);
  refused(judge({ scopes: ['storage.read:/home/alice'] }, own), 'invalid_scope', /./);
  const names = { scopes: ['storage.*:/osg'] };
  allowed(judge({ scopes: ['storage.modify:/osg/a', 'storage.poll:/osg'] }, names));
  refused(judge({ scopes: ['storage.modify:/etc:/osg'] }, names), 'invalid_scope', /./);
  refused(judge({ scopes: ['storage.modify:/osgood'] }, names), 'invalid_scope', /./);
  const strange = { scopes: ['*:/data', 'wlcg.*:/data/*'] };
  allowed(judge({ scopes: ['queue:/data/run1'] }, strange));
  for (const scope of ['queue:/data/../etc', 'queue:/data/%2e%2e/etc', 'queue:/data//x', 'wlcg.x:/data/../etc']) {
    refused(judge({ scopes: [scope] }, strange), 'invalid_scope', /does not allow/);
  }
  allowed(judge({ scopes: ['storage.read:/', 'openid'] }, { scopes: ['*'] }));
});

test('scopes of the other dialect are signed with a remark, since services do not understand them there', () => {
  const own = { scopes: ['read:/osg'] };
  assert.match(allowed(judge({ scopes: ['read:/osg'] }, own)).remarks.join(), /read:\/osg: a scope of SciTokens/);
  const { remarks } = allowed(judge({}, {}, 'scitokens'));
  assert.match(remarks.join(), /a scope of WLCG in a token of the profile scitokens/);
});

test('ISS-11: no token without an audience, and one for everyone only if that is asked for and allowed', () => {
  refused(judge({ audiences: [] }), 'invalid_target', /no audience was named/);
  refused(
    judge({ audiences: ['https://se.other.org'] }),
    'invalid_target',
    /does not allow the audience/,
    /"audiences" below/,
  );
  const open = { audiences: ['*'], everyone: true };
  for (const wildcard of ['https://wlcg.cern.ch/jwt/v1/any', 'ANY']) {
    refused(judge({ audiences: [wildcard] }, open), 'invalid_target', /means every service/);
  }
  const everyone = { everyone: true, audiences: [] };
  refused(judge(everyone), 'invalid_target', /does not allow tokens that every service accepts/, /everyone: true/);
  refused(judge({ everyone: true }, open), 'invalid_target', /audiences were named besides/);
  assert.deepEqual(allowed(judge(everyone, open)).request.audiences, ['https://wlcg.cern.ch/jwt/v1/any']);
  assert.deepEqual(allowed(judge(everyone, open, 'scitokens')).request.audiences, ['ANY']);
  refused(judge(everyone, open, 'at+jwt'), 'invalid_target', /has no audience that means every service/);
  refused(judge({ audiences: ['https://a b'] }, open), 'invalid_target', /no audience: blanks/);
});

test('an audience that is compared exactly and seldom spelled so gets a remark', () => {
  const says = (audience: string) => allowed(judge({ audiences: [audience] })).remarks.join();
  assert.equal(says('https://se.example.org'), '');
  const open = { audiences: ['*'] };
  assert.match(allowed(judge({ audiences: ['https://x.org/'] }, open)).remarks.join(), /ends with a slash/);
  assert.match(allowed(judge({ audiences: ['https://x.org:443'] }, open)).remarks.join(), /default port/);
});

test('subjects: by pattern, of ASCII and at most 255 of it, and not if they are suspended', () => {
  refused(judge({ subject: 'alice' }), 'access_denied', /does not allow the subject alice; it allows pilot-\*, robot/);
  refused(judge({ subject: 'pilot-bad' }), 'access_denied', /is suspended at https:/, /"suspend" below/);
  const many = { subjects: ['*', '* *'], suspended: ['pilot-*', '/CN=*'] };
  for (const subject of ['pilot-1', 'pilot-', '/CN=A B', '/CN=A'])
    refused(judge({ subject }, many), 'access_denied', /is suspended/);
  allowed(judge({ subject: 'robot' }, many));
  const open = { subjects: ['*'] };
  allowed(judge({ subject: 'a'.repeat(255) }, open));
  refused(judge({ subject: 'a'.repeat(256) }, open), 'invalid_request', /1 to 255 characters of ASCII/, /^$/);
  refused(judge({ subject: 'jürgen' }, open), 'invalid_request', /is no subject/, /^$/);
  refused(judge({ subject: 'a\nb' }, open), 'invalid_request', /is no subject/, /^$/);
  refused(judge({ subject: '' }, open), 'invalid_request', /no subject/);
  refused(judge({ subject: '/CN=A B' }, open), 'access_denied', /./);
  allowed(judge({ subject: '/CN=A B' }, { subjects: ['/CN=A B'] }));
});

test('groups keep their order, have to be groups, and only WLCG tokens have them', () => {
  const groups = ['/osg/b', '/osg/a', '/osg/b'];
  assert.deepEqual(allowed(judge({ groups })).request.groups, ['/osg/b', '/osg/a']);
  refused(judge({ groups: ['/cms'] }), 'invalid_scope', /does not allow the group \/cms/, /"groups"/);
  refused(judge({ groups: ['osg'] }, { groups: ['*'] }), 'invalid_scope', /does not start with/, /^$/);
  refused(judge({ groups }, {}, 'scitokens'), 'invalid_request', /have none/);
  const above = allowed(judge({ groups: ['/osg', '/osg/a'] }, { groups: ['/osg', '/osg/*'] }));
  assert.match(above.remarks.join(), /more specific and comes later/);
});

test('who is suspended gets nothing under a random name either, and the sentence does not say who that is', () => {
  const name = '0123456789abcdef0123456789abcdef';
  const own = { subjects: ['*'], suspended: ['alice', 'CN=*'] };
  for (const user of ['alice', 'CN=Bob Example']) {
    const answer = judge({ subject: name, user }, own);
    refused(answer, 'access_denied', /the user of the subject 0123\S+ is suspended/, /"suspend"/);
    assert.equal(JSON.stringify(answer).includes(user), false);
  }
  allowed(judge({ subject: name, user: 'bob' }, own));
  refused(judge({ subject: name, user: 'bob' }, { ...own, suspended: [name] }), 'access_denied', /suspended/);
  refused(judge({ subject: name, user: 'bob' }, { ...own, subjects: ['bob'] }), 'access_denied', /does not allow/);
});

test('claims: those of the policy, and never those that the issuer sets itself', () => {
  assert.deepEqual(allowed(judge({ claims: { email: 'a@b' } })).request.claims, { email: 'a@b' });
  refused(
    judge({ claims: { name: 'x' } }),
    'invalid_request',
    /does not allow the claim "name"; it allows email/,
    /"claims"/,
  );
  const names = [
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'scope',
    'client_id',
    'ver',
    'wlcg.ver',
    'wlcg.groups',
  ];
  for (const name of names) {
    refused(judge({ claims: { [name]: 'x' } }, { claims: names }), 'invalid_request', /set by the issuer itself/);
  }
  allowed(judge({ claims: { act: { sub: 'c' } }, clientId: 'c' }));
  refused(judge({ claims: { act: { sub: 'c' } } }), 'invalid_request', /does not allow the claim "act"/);
});

test('a claim is signed as it was asked for, or not at all', () => {
  const own = { claims: ['x'] };
  const nested = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) as JsonValue;
  const fine = [1, -0.5, 1e-3, 2 ** 53 - 1, null, true, '', 'a', [], {}, { a: [{ b: 1.5 }] }, nested(32)];
  for (const x of fine) assert.deepEqual(allowed(judge({ claims: { x } }, own)).request.claims, { x });
  const odd = [
    Infinity,
    -Infinity,
    Number.NaN,
    2 ** 53,
    12345678901234567890n,
    undefined,
    new Date(0),
    new Map(),
    () => 1,
  ];
  for (const x of [...odd, ...odd.map((one) => ({ a: [one] })), nested(33), nested(20_000)]) {
    const answer = judge({ claims: { x: x as JsonValue } }, own);
    refused(answer, 'invalid_request', /^the claim x cannot be signed as it was asked for: it /, /^$/);
  }
});

test('ISS-10: a lifetime is cut with a remark, never refused for being long', () => {
  const usual = allowed(judge({}));
  assert.deepEqual([usual.request.lifetime, usual.remarks], [hours(1), []]);
  const cut = allowed(judge({ lifetime: hours(24) }));
  assert.equal(cut.request.lifetime, hours(6));
  assert.match(cut.remarks.join(), /cut from 24 h to 6 h/);
  const long = allowed(judge({ lifetime: hours(24) }, { lifetime: { usual: hours(1), most: hours(24) } }));
  assert.equal(long.request.lifetime, hours(24));
  assert.match(long.remarks.join(), /longer than the 6 h of the WLCG profile/);
  assert.match(allowed(judge({ lifetime: minutes(10) })).remarks.join(), /shorter than the 15 min/);
  assert.deepEqual(allowed(judge({ lifetime: minutes(10), scopes: [] }, {}, 'scitokens')).remarks.length, 1);
  refused(judge({ lifetime: millis(500) }), 'invalid_request', /less than a second/, /^$/);
  refused(judge({ lifetime: millis(Number.NaN) }), 'invalid_request', /less than a second/, /^$/);
});

test('ISS-17: a token made from another one does not outlive it', () => {
  const { request: settled, remarks } = allowed(judge({ notAfter: epoch(now + 90_700) }));
  assert.equal(settled.lifetime, 90_700);
  assert.match(remarks.join(), /cut to 90 s, the end of the token that it was made from/);
  refused(judge({ notAfter: epoch(now - 1) }), 'invalid_request', /would have to end now/, /^$/);
});

test('claims of the profiles: their marks, whole seconds, nbf a minute ago, one audience as text', () => {
  const settled = allowed(judge({ lifetime: minutes(20) })).request;
  const of = (profile: IssueProfile) => claimsOf(settled, { url, profile, jti: 'j', now }).claims;
  const common = {
    iss: url,
    sub: 'pilot-1',
    aud: 'https://se.example.org',
    exp: 1_800_001_200,
    nbf: 1_799_999_940,
    iat: 1_800_000_000,
    jti: 'j',
    client_id: 'pilot-1',
    scope: 'storage.read:/osg/data',
  };
  assert.deepEqual(of('wlcg'), { ...common, 'wlcg.ver': '1.0' });
  assert.deepEqual(of('scitokens'), { ...common, ver: 'scitoken:2.0' });
  assert.deepEqual(of('at+jwt'), common);
  const several = claimsOf(
    { ...settled, audiences: ['a', 'b'], groups: ['/x'], clientId: 'c' },
    { url, profile: 'wlcg', jti: 'j', now },
  );
  assert.deepEqual(
    [several.claims['aud'], several.claims['wlcg.groups'], several.claims['client_id']],
    [['a', 'b'], ['/x'], 'c'],
  );
});

test('patterns: a star is any text without a blank', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['*', '', true],
    ['*', 'a b', false],
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*c', 'acd', false],
    ['ab*ba', 'aba', false],
    ['*.example.org', 'x.example.org', true],
    ['*.example.org', 'example.org', false],
    ['a*b*c', 'a-c-b-c', true],
    ['a* *c', 'ax yc', true],
    ['A', 'a', false],
  ];
  for (const [pattern, text, fits] of table) assert.equal(fitsPattern(pattern, text), fits, `${pattern} ${text}`);
});

test('patterns of audiences: a star does not reach over a slash, unless it is the whole pattern', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['https://*.example.org', 'https://se.example.org', true],
    ['https://*.example.org', 'https://a.b.example.org', true],
    ['https://*.example.org', 'https://evil/x.example.org', false],
    ['https://*.example.org', 'https://evil//.example.org', false],
    ['https://*.example.org', 'https://evil?.example.org', false],
    ['https://*.example.org', 'https://evil#.example.org', false],
    ['https://*.example.org', 'https://evil\\.example.org', false],
    ['https://*.example.org:1094', 'https://user@evil.example.org:1094', false],
    ['https://*.example.org/*', 'https://se.example.org/dav', true],
    ['https://*.example.org/*', 'https://evil/.example.org/dav', false],
    ['https://*', 'https://se.example.org:1094', true],
    ['https://*', 'https://se.example.org/', false],
    ['*:9619', 'ce1.example.org:9619', true],
    ['*:9619', 'https://evil/ce1.example.org:9619', false],
    ['*', 'https://se.example.org/dav', true],
  ];
  for (const [pattern, text, fits] of table) assert.equal(fitsAudience(pattern, text), fits, `${pattern} ${text}`);
  refused(judge({ audiences: ['https://evil/x.example.org'] }), 'invalid_target', /does not allow the audience/);
});

const segment = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b') },
  { weight: 1, arbitrary: fc.constantFrom('ab', '%61', 'a%20b', '..', '.', '', 'A', '*') },
);
const path = fc.array(segment, { maxLength: 2 }).map((segments) => `/${segments.join('/')}`);
const operation = fc.constantFrom('storage.read', 'storage.create', 'storage.modify', 'read', 'write', 'storage.stage');
const scope = fc.oneof(
  fc.tuple(operation, path).map(([name, where]) => `${name}:${where}`),
  fc.constantFrom('compute.read', 'compute.create', 'compute.cancel', 'condor:/READ', 'openid', 'storage.read'),
);
const words = (...texts: readonly string[]) => fc.subarray([...texts]);

test('a token never goes beyond the policy, whatever is asked for', () => {
  const audience = ['https://a.org', 'https://b.org', 'ANY', 'https://wlcg.cern.ch/jwt/v1/any'];
  const asked = fc.record({
    scopes: fc.array(scope, { maxLength: 2 }),
    audiences: fc.oneof(words('https://a.org', 'https://b.org'), words(...audience)),
    everyone: fc.boolean(),
    groups: words('/a', '/a/b', '/c'),
    subject: fc.constantFrom('x', 'y', 'z'),
    lifetime: fc.integer({ min: 1, max: 40_000 }).map(seconds),
  });
  const own = fc.record({
    scopes: fc.array(
      scope.filter((one) => !one.includes('*')),
      { maxLength: 6 },
    ),
    audiences: words(...audience),
    everyone: fc.boolean(),
    groups: words('/a', '/a/b', '/c'),
    subjects: words('x', 'y', 'z'),
    suspended: words('z', 'y'),
  });
  let allowedOnce = 0;
  fc.assert(
    fc.property(asked, own, fc.constantFrom<IssueProfile>('wlcg', 'scitokens', 'at+jwt'), (wanted, rules, profile) => {
      const answer = judge(wanted, rules, profile);
      if (answer.kind === 'refused') return;
      allowedOnce += 1;
      const { request: settled } = answer;
      const held = rules.scopes.map(parseScope);
      assert.ok(settled.scopes.every((one) => mayGive(held, parseScope(one)) && printScope(parseScope(one)) === one));
      assert.equal(new Set(settled.scopes).size, new Set(wanted.scopes.map((one) => printScope(parseScope(one)))).size);
      assert.ok(settled.audiences.length > 0);
      const wildcards = settled.audiences.filter((one) => audience.indexOf(one) > 1);
      assert.equal(wildcards.length > 0, wanted.everyone && rules.everyone);
      if (wildcards.length === 0) assert.ok(settled.audiences.every((one) => rules.audiences.includes(one)));
      assert.ok(settled.groups.every((one) => rules.groups.includes(one)));
      assert.ok(rules.subjects.includes(settled.subject) && !rules.suspended.includes(settled.subject));
      assert.ok(settled.lifetime <= hours(6) && settled.lifetime <= wanted.lifetime);
    }),
    { numRuns: 4000 },
  );
  assert.ok(allowedOnce > 5, `only ${allowedOnce} were allowed`);
});
