import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { idtoken } from '../../src/acquire/idtoken.ts';
import type { IdtokenAccount } from '../../src/config/config.ts';
import { poolKeyOf } from '../../src/mint/idtoken-key.ts';
import { isSignedWith, readIdtoken } from '../../src/mint/idtoken-look.ts';
import type { AccountName } from '../../src/token/names.ts';
import { hours, minutes, seconds } from '../../src/token/time.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { load, sentences } from '../config/in-memory.ts';
import { setting } from '../renew/setting.ts';
import { contextOf, testWorld, wish } from './grant-samples.ts';

const dir = await mkdtemp(join(tmpdir(), 'tokeep-idtoken-'));
const clock = new TestClock();
const world = testWorld({ clock });
after(async () => {
  await world.http.close();
  await rm(dir, { recursive: true });
});
const bytes = Buffer.from('sixty-four bytes would be better, but these here will do as well');
const path = join(dir, 'POOL');
await writeFile(path, bytes, { mode: 0o600 });

const account = (file: string): IdtokenAccount => ({
  name: 'pool' as AccountName,
  at: { file: 'tokeep.yaml', line: 1, column: 1 },
  issuer: { kind: 'of-credential' },
  audienceStyle: 'auto',
  timeout: seconds(10),
  fingerprint: 'a1',
  grant: 'idtoken',
  trustDomain: 'pool.example',
  key: { kind: 'file', path: file },
  keyId: 'POOL',
});

test('an account with a signing key of a pool answers by itself, with what was wished', async () => {
  const context = contextOf(world, account(path));
  const request = { ...wish('', 'condor:/READ'), subject: 'site-7@frontend.example', lifetime: minutes(20) };
  const raw = await idtoken.send(context, request);
  assert.ok(raw.kind === 'raw');
  const outcome = idtoken.judge(raw, context);
  assert.ok(outcome.kind === 'token');
  assert.deepEqual([outcome.expiresIn, outcome.scope, outcome.oddities], [minutes(20), ['condor:/READ'], []]);
  const seen = readIdtoken(outcome.token.reveal(), clock.now());
  assert.ok(seen.kind === 'idtoken');
  assert.deepEqual([seen.trustDomain, seen.identity, seen.keyId], ['pool.example', 'site-7@frontend.example', 'POOL']);
  assert.ok(isSignedWith(outcome.token.reveal(), poolKeyOf(bytes, 'POOL')));
});

test('without an identity, with a scope that is none, or without the key there is a sentence and nothing else', async () => {
  const named = { ...wish('', 'condor:/READ'), subject: 'a@b' };
  for (const [change, code] of [
    [{ request: wish('', 'condor:/READ'), file: path }, 'request-refused'],
    [{ request: { ...wish('', 'storage.read:/'), subject: 'a@b' }, file: path }, 'request-refused'],
    [{ request: named, file: join(dir, 'nowhere') }, 'signing-key-missing'],
  ] as const) {
    const answer = await idtoken.send(contextOf(world, account(change.file)), change.request);
    assert.ok(answer.kind === 'none' && answer.sent === 'no' && answer.fault.code === code);
  }
});

const config = (more: string) => `
accounts:
  pool: { grant: idtoken, trust_domain: pool.example, key: { file: ${path} } }
tokens:
  pilot:
    account: pool
    subject: site-7@frontend.example
    scope: [condor:/READ, condor:/ADVERTISE_STARTD]
    ${more}
    deliver: [{ file: DIR/pilot.token }]
`;

test("a pilot's IDTOKEN is kept fresh like any wish, without network", async () => {
  await using house = await setting({ config: config('lifetime: 6h'), world: { clock } });
  await house.pass();
  const first = await house.delivered('pilot.token');
  assert.ok(first !== undefined && isSignedWith(first.trim(), poolKeyOf(bytes, 'POOL')), house.logged.join('\n'));
  await house.pass();
  assert.equal(await house.delivered('pilot.token'), first, 'it was not due');
  clock.advance(hours(5));
  await house.pass();
  const second = await house.delivered('pilot.token');
  assert.ok(second !== undefined && second !== first);
  const seen = readIdtoken(second.trim(), clock.now());
  assert.deepEqual(seen.kind === 'idtoken' && seen.faults, []);
});

test('a token of such an account without a subject, or with an audience, is a finding', async () => {
  for (const [text, says] of [
    [config('').replace(/ +subject: .*\n/, ''), /lacks "subject"/],
    [config('audience: ce.example:9619'), /an IDTOKEN is for the whole pool/],
  ] as const) {
    const loaded = await load('/c.yaml', text.replace('DIR', '/tmp'));
    assert.match(sentences(loaded).join(), says);
    assert.equal(loaded.wishes.size, 0);
  }
});

test('what docs/map-identities.md shows as configuration is accepted', async () => {
  const page = await readFile(new URL('../../docs/map-identities.md', import.meta.url), 'utf8');
  const loaded = await load('/c.yaml', /^```yaml\n(accounts:\n[\s\S]*?)^```/m.exec(page)?.[1] ?? '');
  assert.deepEqual([sentences(loaded), loaded.wishes.size], [[], 1]);
});
