import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { readSettings } from '../../src/mint/settings.ts';
import { settingsText } from '../../src/mint/settings-text.ts';
import { days, hours, minutes } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { freshDirectory, isFault, newIssuer, url } from './issuer-bed.ts';

const world = realWorld();

function written(text: string): string {
  const directory = freshDirectory();
  mkdirSync(directory, { mode: 0o700 });
  writeFileSync(`${directory}/issuer.yaml`, text);
  return directory;
}
const read = (text: string) => readSettings(world, written(text));
const says =
  (...parts: readonly RegExp[]) =>
  (thrown: unknown) =>
    isFault('config-invalid')(thrown) && parts.every((part) => part.test(thrown.message));

test('with nothing but its URL an issuer signs nothing, by the WLCG profile and its lifetimes', async () => {
  assert.deepEqual(await read(`issuer: ${url}`), {
    url,
    profile: 'wlcg',
    policy: {
      scopes: [],
      audiences: [],
      everyone: false,
      subjects: [],
      groups: [],
      claims: [],
      lifetime: { usual: hours(1), most: hours(6) },
      suspended: [],
    },
    audit: { subjects: 'plain' },
    keys: 'sealed',
    rotation: { ahead: days(2), behind: hours(1), life: days(182.5) },
    store: { kind: 'sqlite' },
  });
});

test('all that can stand in issuer.yaml', async () => {
  const settings = await read(`
issuer: ${url}
profile: at+jwt
policy:
  scopes: [openid]
  audiences: ["*"]
  everyone: true
  subjects: [a b]
  groups: [/x/*]
  claims: [email]
  lifetime: { usual: 10m, most: 30m }
  suspend: [mallory]
audit: { subjects: hashed }
keys: file
rotation: { ahead: 4d, behind: 2h, life: 30d }
store: { postgres: { url: { file: /etc/tokeep/db-url }, ca_file: /etc/ssl/db.pem } }
`);
  assert.deepEqual(settings.policy.lifetime, { usual: minutes(10), most: minutes(30) });
  assert.deepEqual(settings.policy.suspended, ['mallory']);
  assert.deepEqual(settings.rotation, { ahead: days(4), behind: hours(2), life: days(30) });
  assert.deepEqual(settings.store, {
    kind: 'postgres',
    url: { kind: 'file', path: '/etc/tokeep/db-url' },
    caFile: '/etc/ssl/db.pem',
  });
});

test('the usual life is never longer than the most', async () => {
  const { policy } = await read(`issuer: ${url}\npolicy: { lifetime: { most: 20m } }`);
  assert.deepEqual(policy.lifetime, { usual: minutes(20), most: minutes(20) });
});

test('what is wrong is said with line and column, all of it, and with what was probably meant', async () => {
  const text = `issuer: ${url}\npolicy:\n  scope: [a]\n  everyone: perhaps\nkey: file\n`;
  await assert.rejects(
    read(text),
    says(
      /issuer\.yaml:3:3: unknown key "scope" \(did you mean "scopes"\?\)/,
      /:4:13: "policy\.everyone" must be true or false/,
      /:5:1: unknown key "key" \(did you mean "keys"\?\)/,
    ),
  );
  await assert.rejects(read('issuer: [a'), says(/issuer\.yaml:1:\d+: not YAML/));
  await assert.rejects(read(''), says(/"issuer" is missing/));
  await assert.rejects(read('- a'), says(/issuer\.yaml/));
  await assert.rejects(read('issuer: http://x.org'), says(/plain http/));
  await assert.rejects(read(`issuer: ${url}\npolicy: { scopes: ["a b"] }`), says(/"policy.scopes\[0\]" holds a blank/));
  await assert.rejects(
    read(`issuer: ${url}\npolicy: { scopes: [storage.read] }`),
    says(/"policy.scopes\[0\]" is no scope that may be signed: it does not say where/),
  );
  await assert.rejects(
    read(`issuer: ${url}\npolicy: { scopes: [storage.raed:/data, compute.execute, compute.read:/x] }`),
    says(
      /"policy.scopes\[0\]" is no scope that may be signed: no profile has storage\.raed \(did you mean storage\.read\?\)/,
      /"policy.scopes\[1\]" .*no profile has compute\.execute/,
      /"policy.scopes\[2\]" .*compute\.read has no path/,
    ),
  );
  await assert.rejects(
    read(`issuer: ${url}\npolicy: { lifetime: { usual: 9h, most: 6h } }`),
    says(/"policy.lifetime.usual" must not be longer than "most"/),
  );
  await assert.rejects(
    read(`issuer: ${url}\npolicy: { lifetime: { usual: 9h } }`),
    says(/"policy.lifetime.usual" must not be longer than "most" \(default 6h\)/),
  );
  await assert.rejects(read(`issuer: ${url}\nrotation: { ahead: 4d, life: 4d }`), says(/must be longer than "ahead"/));
  await assert.rejects(
    read(`issuer: ${url}\nrotation: { life: 1d }`),
    says(/"rotation.life" must be longer than "ahead" \(default 2d\)/),
  );
  await assert.rejects(
    read(`issuer: ${url}\nrotation: { ahead: 200d }`),
    says(/"rotation.ahead" must be shorter than "life"/),
  );
  const database = `issuer: ${url}\nstore: { postgres: { url: "postgres://u:canary@h/d" } }`;
  await assert.rejects(
    read(database),
    (thrown) => says(/never written here itself/)(thrown) && !/canary/.test(String(thrown)),
  );
});

test('ISS-12: neither HMAC nor none can be configured', async () => {
  for (const text of ['algorithm: HS256', 'algorithm: none', 'keys: { algorithm: HS256 }']) {
    await assert.rejects(read(`issuer: ${url}\n${text}\n`), says(/algorithm|keys/));
  }
});

test('where there is no issuer that is said, with the command that makes one', async () => {
  await assert.rejects(
    readSettings(world, freshDirectory()),
    (thrown) => isFault('issuer-missing')(thrown) && /tokeep issuer init/.test(String(thrown.hint)),
  );
});

test('a new issuer.yaml reads as what it was written from', async () => {
  const wanted = newIssuer({
    keys: 'file',
    audit: { subjects: 'hashed' },
    rotation: { ahead: days(3), behind: hours(2), life: days(90) },
    store: { kind: 'postgres', url: { kind: 'command', argv: ['/usr/bin/pass', 'db "x"'] }, caFile: '/a/b.pem' },
  });
  const { algorithm: _algorithm, by: _by, ...settings } = wanted;
  assert.deepEqual(await read(settingsText(wanted)), settings);
  const plain = newIssuer({ policy: { ...wanted.policy, scopes: [], subjects: ["it's: #1"] } });
  assert.deepEqual((await read(settingsText(plain))).policy, plain.policy);
});
