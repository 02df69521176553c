import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScitokensCfg } from '../../src/verify/scitokens-cfg.ts';

const good = `
# our storage
[Global]
audience = https://se.example.org:1094, https://wlcg.cern.ch/jwt/v1/any
audience_json = ["https://alias.example.org"]
onmissing = deny ; refuse the rest

[Issuer CMS]
issuer: https://cms-auth.web.cern.ch/
base_path = /store/cms,/scratch/cms
restricted_path = /open /data
map_subject = True
default_user = cms
username_claim = preferred_username
name_mapfile = /etc/xrootd/cms.json
authorization_strategy = capability group
`;

const said = (text: string) =>
  readScitokensCfg(text, 'scitokens.cfg').findings.map(
    ({ severity, file, line, message }) => `${file}:${line}: ${severity}: ${message}`,
  );

test("XRootD's configuration is read as it stands", () => {
  const { config, findings } = readScitokensCfg(good, 'scitokens.cfg');
  assert.deepEqual(findings, []);
  assert.deepEqual(config, {
    audiences: ['https://se.example.org:1094', 'https://wlcg.cern.ch/jwt/v1/any', 'https://alias.example.org'],
    onMissing: 'deny',
    issuers: [
      {
        name: 'CMS',
        issuer: 'https://cms-auth.web.cern.ch/',
        basePaths: ['/store/cms', '/scratch/cms'],
        restrictedPaths: ['/open', '/data'],
        mapSubject: true,
        defaultUser: 'cms',
        usernameClaim: 'preferred_username',
        groupsClaim: 'wlcg.groups',
        nameMapfile: '/etc/xrootd/cms.json',
        strategies: ['capability', 'group'],
        line: 8,
      },
    ],
  });
});

test('what XRootD leaves out, and what may not be meant, is told of with its line', () => {
  assert.deepEqual(
    said(`stray = 1
[Global
[Global]
audiences = https://se.example.org/
audience = https://se.example.org/
audience = https://se.example.org/
onmissing = allow
[issuer one]
issuer = https://one.example
[Issuer two]
issuer = http://two.example
base_path = relative /ok /a/../b
map_subject = perhaps
authorization_strategy = groups
just words
[Issuer three]
issuer = http://two.example
base_path = /
  /more
[Elsewhere]
`),
    [
      'scitokens.cfg:1: warning: "stray" stands before the first [section] and is not looked at',
      'scitokens.cfg:2: error: this section header has no ] at its end; XRootD keeps the configuration it had before',
      'scitokens.cfg:4: warning: "audiences" is not looked at in [Global]; known are audience, audience_json, onmissing',
      'scitokens.cfg:6: warning: "audience" stands twice in [Global], first at line 5; the last one counts',
      'scitokens.cfg:6: warning: the audience https://se.example.org/ ends with a slash; it is compared as it stands',
      'scitokens.cfg:7: warning: onmissing = allow lets in whoever has no token, or one that is refused',
      'scitokens.cfg:8: error: [issuer one] has no base_path, and XRootD leaves it out',
      'scitokens.cfg:11: error: the issuer http://two.example is not an https URL, and its keys are never fetched',
      'scitokens.cfg:12: error: base_path: XRootD leaves out relative, which does not start with "/"',
      'scitokens.cfg:12: warning: base_path: /a/../b is /b for XRootD',
      'scitokens.cfg:13: warning: map_subject is perhaps, which counts as false',
      'scitokens.cfg:14: error: authorization_strategy has groups; known are capability, group, mapping',
      'scitokens.cfg:14: warning: authorization_strategy leaves out capability: the scopes of its tokens give nothing',
      'scitokens.cfg:15: error: this line is not of the form "key = value"; XRootD keeps the configuration it had before',
      'scitokens.cfg:16: warning: the issuer http://two.example has a section already, at line 10; only one of them counts',
      'scitokens.cfg:17: error: the issuer http://two.example is not an https URL, and its keys are never fetched',
      'scitokens.cfg:19: warning: a line that starts with a blank goes on with the value above, and the line break becomes part of it',
      'scitokens.cfg:20: warning: [Elsewhere] is not looked at: known are [Global] and [Issuer NAME]',
    ],
  );
});

test('a file without issuers or audiences is told of; sections of one name are one', () => {
  assert.deepEqual(said(''), [
    'scitokens.cfg:1: warning: there is no audience: of the tokens that have one, only those for everyone are accepted',
    'scitokens.cfg:1: error: there is no usable [Issuer NAME] section, so that no token is accepted',
  ]);
  const twice =
    '[Global]\naudience = a\n[Issuer x]\nissuer = https://a\n[ISSUER X]\nissuer = https://b\nbase_path = /\n';
  const { config, findings } = readScitokensCfg(twice, 'f');
  assert.deepEqual(
    config.issuers.map(({ issuer }) => issuer),
    ['https://b'],
  );
  assert.equal(findings.length, 2);
  assert.match(said('[Global]\naudience_json = {"a": 1}\nonmissing = maybe')[0] ?? '', /JSON list|no audience/);
});
