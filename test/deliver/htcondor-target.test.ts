import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { parseTop } from '../../src/condor/top-file.ts';
import type { HtcondorTarget } from '../../src/config/config.ts';
import { delivererOf } from '../../src/deliver/deliverers.ts';
import { Fault } from '../../src/fault/fault.ts';
import type { TokenFacts } from '../../src/store/records.ts';
import { after, hours, millis, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { load } from '../config/in-memory.ts';
import { storeCredProgram } from './store-cred-program.ts';
import { accessToken } from './testing.ts';

const token = accessToken('canary-token-for-htcondor');
const clock = new TestClock();
const facts: TokenFacts = {
  fingerprint: token.fingerprint,
  audience: [],
  scope: [],
  issuedAt: clock.now(),
  expiresAt: after(clock.now(), hours(1)),
  lifeFrom: 'exp',
};

function pushed(program: string, more: Partial<HtcondorTarget> = {}): HtcondorTarget {
  const base = { kind: 'htcondor', id: 'htcondor:alice:mytok', user: 'alice', service: 'mytok' } as const;
  return { ...base, timeout: seconds(20), program, ...more };
}
const deliver = (target: HtcondorTarget, world = { ...realWorld(), clock }) =>
  delivererOf(target).deliver(target, token, world, facts);

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const thrown = await work.then(
    () => assert.fail('it was delivered'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Fault);
  assert.ok(!`${thrown.message}${thrown.hint}${thrown.cause}`.includes('canary'));
  return thrown;
}

test('HTCondor 23.9.6 gets a token for a user as a .top file that our credmon understands, on its standard input', async (t) => {
  const condor = storeCredProgram(t);
  await deliver(pushed(condor.path, { handle: 'rd' }));
  assert.deepEqual(condor.calls(), ['-h', 'add-oauth -u alice@localhost -s mytok -H rd -i -']);
  assert.ok(!condor.environment().includes('canary'));
  const top = parseTop(Buffer.from(condor.file('alice/mytok_rd.top') ?? ''));
  assert.ok(top.kind === 'access_token' && top.accessToken.reveal() === token.reveal());
  assert.equal(top.expiresAt, facts.expiresAt);
  assert.equal(top.expiresIn, hours(1));
});

test("HTCondor's main branch is told that it is an access token, and is asked only once which one it is", async (t) => {
  const condor = storeCredProgram(t);
  condor.set('knows-P');
  const world = { ...realWorld(), clock };
  const target = pushed(condor.path, { user: 'alice@campus.example' });
  await deliver(target, world);
  await deliver(target, world);
  const add = 'add-oauth -u alice@campus.example -s mytok -i - -P';
  assert.deepEqual(condor.calls(), ['-h', add, add]);
  assert.equal(JSON.parse(condor.file('alice/mytok.use') ?? '').access_token, token.reveal());
});

test('an HTCondor that was replaced by another one is looked at anew after a push that failed', async (t) => {
  const condor = storeCredProgram(t);
  condor.set('knows-P');
  const world = { ...realWorld(), clock };
  await deliver(pushed(condor.path), world);
  condor.unset('knows-P');
  assert.equal((await faultOf(deliver(pushed(condor.path), world))).code, 'target-failed');
  await deliver(pushed(condor.path), world);
  assert.equal(condor.calls().at(-1), 'add-oauth -u alice@localhost -s mytok -i -');
});

test('each refusal of condor_credd says what to do', async (t) => {
  const condor = storeCredProgram(t);
  const cases = [
    [1, 'Operation failed because it is not allowed', 'target-refused', /CRED_SUPER_USERS/],
    [1, 'Operation failed because of a configuration error', 'target-refused', /SEC_CREDENTIAL_DIRECTORY_OAUTH/],
    [
      1,
      'Operation failed.\n    Make sure your ALLOW_WRITE setting includes this host.',
      'target-failed',
      /ALLOW_WRITE/,
    ],
    [1, 'Credential requires interacting with an untrusted host', 'target-failed', /TRUSTED_VAULT_HOSTS/],
    [7, 'something new', 'target-failed', /ended with status 7/],
  ] as const;
  for (const [status, text, code, sentence] of cases) {
    condor.answers(status, text);
    const fault = await faultOf(deliver(pushed(condor.path, { credd: 'ap.example' })));
    assert.equal(fault.code, code, text);
    assert.match(`${fault.message} ${fault.hint}`, sentence);
    assert.match(fault.message, /^the token of alice for mytok was not stored: /);
  }
});

test('another access point and another configuration are named in the environment, and a program that hangs is stopped', async (t) => {
  const condor = storeCredProgram(t);
  await deliver(pushed(condor.path, { credd: 'ap.example', condorConfig: '/opt/condor/etc/condor_config' }));
  assert.match(condor.environment(), /^_CONDOR_CREDD_HOST=ap\.example$/m);
  assert.match(condor.environment(), /^CONDOR_CONFIG=\/opt\/condor\/etc\/condor_config$/m);
  const late = await faultOf(deliver(pushed(condor.path, { timeout: millis(1) })));
  assert.equal(late.code, 'target-failed');
});

test('a program that others could change, one that is not there, and names that lead elsewhere are refused', async (t) => {
  const condor = storeCredProgram(t);
  for (const more of [{ user: '..' }, { service: 'a/b' }, { handle: '' }, { user: '-x y' }]) {
    assert.equal((await faultOf(deliver(pushed(condor.path, more)))).code, 'target-refused');
  }
  assert.deepEqual(condor.calls(), []);
  assert.equal((await faultOf(deliver(pushed('/nonexistent/condor_store_cred')))).code, 'target-refused');
  chmodSync(condor.path, 0o777);
  assert.equal((await faultOf(deliver(pushed(condor.path)))).code, 'target-refused');
});

test('a target that is dropped takes its credential along, and one that was gone before is no failure', async (t) => {
  const condor = storeCredProgram(t);
  const target = pushed(condor.path);
  await deliver(target);
  assert.equal(await delivererOf(target).check(target, { fingerprint: 'x', at: null }, realWorld()), 'unknown');
  await delivererOf(target).withdraw(target, realWorld());
  assert.equal(condor.file('alice/mytok.top'), undefined);
  assert.equal(condor.calls().at(-1), 'delete-oauth -u alice@localhost -s mytok');
  condor.answers(1, 'No credential is stored.');
  await delivererOf(target).withdraw(target, realWorld());
});

const configured = (deliver: string, more = '') =>
  load(
    '/c.yaml',
    `accounts: { a: { grant: refresh_token, issuer: https://a.example/ } }
tokens:
  t-{who}:
    account: a
    for_each: { file: /rows.yaml }
    deliver: [{ ${deliver} }]
${more}`,
    { '/rows.yaml': '[{ who: alice }, { who: bob }]' },
  );

test('the configuration names user, service and handle; two tokens cannot go to one place', async () => {
  const config = await configured('htcondor: "{who}@campus.example", service: mytok, handle: rd, timeout: 5s');
  assert.deepEqual(config.findings, []);
  assert.deepEqual(
    [...config.wishes.values()].flatMap(({ targets }) => targets),
    ['alice', 'bob'].map((who) => ({
      kind: 'htcondor',
      id: `htcondor:${who}:mytok*rd`,
      user: `${who}@campus.example`,
      service: 'mytok',
      handle: 'rd',
      timeout: seconds(5),
    })),
  );
  const twice = '  other: { account: a, deliver: [{ htcondor: bob@elsewhere.example, service: mytok }] }';
  const findings = (await configured('htcondor: "{who}", service: mytok', twice)).findings;
  assert.match(findings.map(({ message }) => message).join(), /delivered to htcondor bob:mytok, and so is token/);
});

test('names that condor_credd does not take, and programs that a row would choose, are mistakes of the configuration', async () => {
  for (const [deliver, sentence] of [
    ['htcondor: a/b, service: mytok', /is not a user such as alice/],
    ['htcondor: alice@, service: mytok', /is not a user such as alice/],
    ['htcondor: alice, service: "my tok"', /may hold letters, digits and - \+ = _ \. only/],
    ['htcondor: alice', /service/],
    ['htcondor: alice, service: mytok, program: condor_store_cred', /not an absolute path/],
    ['htcondor: alice, service: mytok, program: "/opt/{who}/condor_store_cred"', /a row cannot choose the program/],
  ] as const) {
    const { findings } = await configured(deliver);
    assert.match(findings.map(({ message }) => message).join(), sentence, deliver);
  }
});
