import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { audienceAnswer, audiencesOf, isForEveryone } from '../../src/token/audience.ts';
import { parseScopes } from '../../src/token/capability.ts';
import { groupsOf, mostSpecificFirst, readGroup, readGroups, selectGroups } from '../../src/token/groups.ts';
import { boundLifetime, clockBackdate, lifetimeTable } from '../../src/token/lifetimes.ts';
import { type ClaimProfile, readProfile } from '../../src/token/profile.ts';
import { days, hours, type Millis, minutes, seconds } from '../../src/token/time.ts';

test('VER-08: the profile is read from its version; an unknown minor is accepted, an unknown major refused', () => {
  const cases: readonly (readonly [object, object, string])[] = [
    [{ 'wlcg.ver': '1.0' }, {}, 'wlcg 1.0'],
    [{ 'wlcg.ver': '1.3' }, {}, 'wlcg 1.3'],
    [{ 'wlcg.ver': '1.17' }, {}, 'wlcg 1.17'],
    [{ 'wlcg.ver': '1.0' }, { typ: 'at+jwt' }, 'wlcg 1.0'],
    [{ 'wlcg.ver': '1.0' }, { typ: 'ID' }, 'wlcg 1.0'],
    [{ ver: 'scitoken:2.0' }, {}, 'scitokens2 2.0'],
    [{ ver: 'scitokens:2.0' }, {}, 'scitokens2 2.0'],
    [{ ver: 'scitokens:1.0' }, {}, 'scitokens1 1.0'],
    [{ ver: 'scitoken:2.0', 'wlcg.ver': '1.0' }, {}, 'scitokens2 2.0 ambiguous'],
    [{}, { typ: 'at+jwt' }, 'at+jwt'],
    [{}, { typ: 'application/at+JWT' }, 'at+jwt'],
    [{}, { typ: 'JWT' }, 'scitokens1'],
    [{}, { typ: 7 }, 'scitokens1'],
    [{}, {}, 'scitokens1'],
  ];
  for (const [claims, header, expected] of cases) {
    const reading = readProfile(header as Record<string, unknown>, claims as Record<string, unknown>);
    assert.ok(reading.kind === 'profile', expected);
    const { profile, version, ambiguous } = reading;
    assert.equal([profile, version, ambiguous && 'ambiguous'].filter(Boolean).join(' '), expected);
  }
});

test('VER-08: versions that are none of the known ones are refused, with the reason', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ 'wlcg.ver': '2.0' }, /"2.0"; only versions 1.x are known/],
    [{ 'wlcg.ver': '11.0' }, /only versions 1.x/],
    [{ 'wlcg.ver': '1' }, /has to be a version such as "1.0"/],
    [{ 'wlcg.ver': '1.0 ' }, /has to be a version/],
    [{ 'wlcg.ver': '1.0\n' }, /has to be a version/],
    [{ 'wlcg.ver': 1 }, /wlcg.ver is not text/],
    [{ 'wlcg.ver': null }, /wlcg.ver is not text/],
    [{ ver: 'scitokens:3.0' }, /ver is "scitokens:3.0"/],
    [{ ver: '2.0' }, /ver is "2.0"/],
    [{ ver: 'SciTokens:2.0' }, /known are/],
    [{ ver: 2 }, /ver is not text/],
    [{ ver: '1.0', 'wlcg.ver': '1.0' }, /ver is "1.0"/],
  ];
  for (const [claims, why] of cases) {
    const reading = readProfile({}, claims as Record<string, unknown>);
    assert.ok(reading.kind === 'refused', JSON.stringify(claims));
    assert.match(reading.why, why);
  }
});

const any = 'https://wlcg.cern.ch/jwt/v1/any';
const answerTo = (aud: unknown, profile: ClaimProfile = 'wlcg', everyone = true) =>
  audienceAnswer({ aud }, { accepted: ['https://se.example', 'ce.example:9619'], everyone, profile });

test('VER-03: an audience of ours is compared exactly, alone or in a list', () => {
  assert.deepEqual(answerTo('https://se.example'), { kind: 'ours', audience: 'https://se.example' });
  assert.deepEqual(answerTo(['other', 'ce.example:9619', any]), { kind: 'ours', audience: 'ce.example:9619' });
  for (const aud of [undefined, null, [], 7, ['https://se.example', 7], { aud: 'x' }]) {
    assert.deepEqual(answerTo(aud), { kind: 'missing' });
  }
  assert.equal(audiencesOf({ aud: [1] }), undefined);
  assert.deepEqual(audiencesOf({ aud: 'x' }), ['x']);
  for (const aud of ['https://se.example/x', 'se.exampl', 'https://se.example.org', 'ce.example:9618', 'ce.example']) {
    assert.deepEqual(answerTo(aud), { kind: 'other', found: [aud] });
  }
});

test('VER-03: the audience for everyone counts in its own profile, and where the service allows it', () => {
  assert.deepEqual(answerTo(any, 'wlcg'), { kind: 'everyone' });
  assert.deepEqual(answerTo(['x', 'ANY'], 'scitokens2'), { kind: 'everyone' });
  const refused: readonly (readonly [string, ClaimProfile, boolean])[] = [
    ['ANY', 'wlcg', true],
    [any, 'scitokens2', true],
    ['ANY', 'scitokens1', true],
    [any, 'at+jwt', true],
    ['ANY', 'at+jwt', true],
    ['any', 'scitokens2', true],
    [any, 'wlcg', false],
    [`${any}/`, 'wlcg', true],
  ];
  for (const [aud, profile, everyone] of refused) {
    assert.deepEqual(answerTo(aud, profile, everyone), { kind: 'other', found: [aud] });
  }
  const listed = audienceAnswer({ aud: any }, { accepted: [any], everyone: false, profile: 'scitokens2' });
  assert.deepEqual(listed, { kind: 'ours', audience: any });
  assert.ok(isForEveryone(any) && isForEveryone('ANY') && !isForEveryone('any'));
});

test('an audience that is missed by spelling alone is named', () => {
  const nearest = (aud: unknown) => {
    const answer = answerTo(aud);
    assert.equal(answer.kind, 'other');
    return answer.kind === 'other' ? answer.nearest : undefined;
  };
  const spellings = [
    'https://se.example/',
    'https://se.example:443',
    'HTTPS://SE.example',
    'se.example',
    'https://se.example:443//',
  ];
  for (const aud of [...spellings, 'http://se.example:80', ' https://se.example'])
    assert.equal(nearest(aud), 'https://se.example');
  assert.equal(nearest(['x', 'https://ce.example:9619/']), 'ce.example:9619');
  assert.equal(nearest('https://se.example:8443'), undefined);
  assert.equal(nearest('/'.repeat(16_000)), undefined);
});

test('the name of a group follows its grammar, and what does not is told why', () => {
  for (const name of ['/cms', '/cms/uscms', '/a.b-c_d/0']) assert.deepEqual(readGroup(name), { kind: 'group', name });
  const cases: readonly (readonly [string, RegExp])[] = [
    ['/cms/Role=pilot', /a role in the way of VOMS/],
    ['/atlas/', /ends with "\/"/],
    ['cms', /does not start with "\/"/],
    ['', /has no name/],
    ['/cms//uscms', /has "\/\/" in it/],
    ['/cms/us cms', /has " " in it/],
    ['/cms\n', /has "\\n" in it/],
    ['/cms/-x', /does not start with a letter or a digit/],
    ['/cms/..', /does not start with a letter or a digit/],
  ];
  for (const [text, why] of cases) {
    const reading = readGroup(text);
    assert.ok(reading.kind === 'refused', text);
    assert.match(reading.why, why);
  }
});

test('the groups of a token are a list of names in their order; anything else is refused', () => {
  assert.deepEqual(groupsOf({}), []);
  assert.deepEqual(groupsOf({ 'wlcg.groups': ['/cms/uscms', '/cms'] }), ['/cms/uscms', '/cms']);
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['/cms', /the text "\/cms"; it has to be a list/],
    [{}, /not a list/],
    [null, /not a list/],
    [['/cms', 7], /not text/],
    [['/cms/Role=pilot', '/cms'], /in the way of VOMS/],
  ];
  for (const [claim, why] of cases) {
    const groups = groupsOf({ 'wlcg.groups': claim });
    assert.ok('refused' in groups);
    assert.match(groups.refused, why);
  }
});

test('of the groups in a token of somebody else those count that are groups', () => {
  const names = ['/cms/Role=pilot', '/cms/uscms', 'cms', '/cms'];
  const reading = readGroups({ 'wlcg.groups': names });
  assert.ok(reading.kind === 'groups');
  assert.deepEqual(reading.groups, ['/cms/uscms', '/cms']);
  assert.match(
    reading.leftOut.join('; '),
    /"\/cms\/Role=pilot" has a role .*; in wlcg.groups, the group "cms" does not start/,
  );
  for (const claim of ['/cms', 7, null, {}, ['/cms', 7]])
    assert.equal(readGroups({ 'wlcg.groups': claim }).kind, 'refused');
});

test('groups are given in the order of the request, with the default ones at the end unless asked for before', () => {
  const entitled = ['/cms', '/cms/ALARM', '/cms/uscms'];
  const groups = (request: string, defaults: readonly string[] = ['/cms']) => {
    const selection = selectGroups(parseScopes(request), entitled, defaults);
    return `${selection.kind} ${selection.groups.join(' ')}`.trim();
  };
  const two = 'wlcg.groups:/cms/uscms wlcg.groups:/cms/ALARM';
  assert.equal(groups('wlcg.groups'), 'groups /cms');
  assert.equal(groups(two), 'groups /cms/uscms /cms/ALARM /cms');
  assert.equal(groups(`${two} wlcg.groups`), 'groups /cms/uscms /cms/ALARM /cms');
  assert.equal(groups(`wlcg.groups ${two}`), 'groups /cms /cms/uscms /cms/ALARM');
  assert.equal(groups(`wlcg.groups:/cms ${two}`), 'groups /cms /cms/uscms /cms/ALARM');
  assert.equal(groups('openid storage.read:/'), 'groups');
  assert.equal(groups(`${two} ${two}`, ['/cms/ALARM', '/cms']), 'groups /cms/uscms /cms/ALARM /cms');
  assert.equal(groups('wlcg.groups', ['/cms', '/atlas']), 'groups /cms');
  assert.equal(groups(`${two} wlcg.groups:/atlas wlcg.groups:/cms/uscms/x`), 'denied /atlas /cms/uscms/x');
});

test('a general group before a more specific one is warned of', () => {
  assert.deepEqual(mostSpecificFirst(['/cms/pilot', '/cms']), { order: ['/cms/pilot', '/cms'] });
  assert.deepEqual(mostSpecificFirst(['/cms', '/cmsx/y']), { order: ['/cms', '/cmsx/y'] });
  assert.deepEqual(mostSpecificFirst([]), { order: [] });
  const { order, warning } = mostSpecificFirst(['/cms', '/atlas', '/cms/us/x', '/cms/pilot']);
  assert.deepEqual(order, ['/cms/us/x', '/cms/pilot', '/cms', '/atlas']);
  assert.match(warning ?? '', /first group is \/cms.*\/cms\/us\/x is more specific/);
});

test('the table of lifetimes is the one of the WLCG profile', () => {
  for (const { recommended, least, most } of Object.values(lifetimeTable))
    assert.ok(least <= recommended && recommended <= most);
  assert.deepEqual(lifetimeTable.accessToken, { recommended: hours(1), least: minutes(15), most: hours(6) });
  assert.deepEqual(lifetimeTable.keyCacheExpiry, { recommended: days(2), least: days(1), most: days(4) });
  assert.equal(clockBackdate, seconds(60));
});

test('ISS-10: a wish for a longer life is cut, not refused; a shorter one is met', () => {
  assert.deepEqual(boundLifetime(undefined, 'accessToken'), { lifetime: hours(1), cut: false });
  assert.deepEqual(boundLifetime(minutes(10), 'accessToken'), { lifetime: minutes(10), cut: false });
  assert.deepEqual(boundLifetime(hours(6), 'accessToken'), { lifetime: hours(6), cut: false });
  assert.deepEqual(boundLifetime(days(365), 'accessToken'), { lifetime: hours(6), cut: true });
  assert.deepEqual(boundLifetime(days(365), 'accessToken', { most: minutes(30) }), {
    lifetime: minutes(30),
    cut: true,
  });
  assert.deepEqual(boundLifetime(hours(24), 'accessToken', { most: hours(24) }), { lifetime: hours(24), cut: false });
  assert.deepEqual(boundLifetime(undefined, 'accessToken', { most: minutes(30) }), {
    lifetime: minutes(30),
    cut: false,
  });
  assert.deepEqual(boundLifetime(undefined, 'refreshToken', { recommended: days(7) }), {
    lifetime: days(7),
    cut: false,
  });
  assert.deepEqual(boundLifetime(Number.NaN as Millis, 'refreshToken'), { lifetime: days(400), cut: true });
  fc.assert(
    fc.property(fc.double(), (wanted) =>
      assert.ok(boundLifetime(wanted as Millis, 'accessToken').lifetime <= hours(6)),
    ),
  );
});
