import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { condorStore } from '../../src/cli/condor-store-answer.ts';
import { storeRequestOf } from '../../src/condor/store-request.ts';
import { parseTop } from '../../src/condor/top-file.ts';
import { Fault } from '../../src/fault/fault.ts';
import { seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { storeCredProgram } from '../deliver/store-cred-program.ts';

const bin = fileURLToPath(new URL('../../bin/', import.meta.url));

/** A user at an access point, with condor_store_cred in the PATH. */
function submitter(t: TestContext, more: Readonly<Record<string, string>> = {}, { terminal = false } = {}) {
  const condor = storeCredProgram(t);
  const slept: number[] = [];
  const asleep: (() => void)[] = [];
  const sleep = async (length: number) => {
    slept.push(length);
    for (const look of asleep) look();
  };
  const clock = { ...realWorld().clock, sleep };
  const env = { PATH: `${condor.directory}:/usr/bin:/bin`, HOME: '/nonexistent', ...more };
  writeFileSync(
    join(condor.directory, 'condor_config_val'),
    `#!/bin/sh\ncase " $* " in *" -expanded "*) names=scitokens ;; *) names='$(OUR_NAMES)' ;; esac
echo "LOCAL_CREDMON_PROVIDER_NAME = $names"\n`,
    {
      mode: 0o755,
    },
  );
  const said: string[] = [];
  const store = (...args: readonly string[]) =>
    condorStore({ world: { ...realWorld(), clock, env }, terminal, say: async (line) => void said.push(line) }, args);
  return {
    condor,
    slept,
    whenAsleep: (look: () => void) => asleep.push(look),
    said,
    store,
    /** As the web login, or a storer of another kind, would have left it. */
    holds(name: string, asked = '|') {
      mkdirSync(join(condor.directory, 'me'), { recursive: true });
      const at = (ending: string) => join(condor.directory, 'me', `${name}.${ending}`);
      writeFileSync(at('top'), '{"refresh_token":"r"}');
      writeFileSync(at('asked'), asked);
      writeFileSync(at('use'), 'token');
    },
  };
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const thrown = await work.then(
    () => assert.fail('it ended well'),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Fault, String(thrown));
  return thrown;
}

const handle = 'mytok&handle=rd&scopes=storage.read:/a,storage.read:/b&audience=https://data.example/x?a=1&b=2';

test('a handle is stored as a narrower use of the credential of its service, with scopes and audience to the letter', async (t) => {
  const { condor, store, holds, said } = submitter(t);
  condor.set('credmon');
  holds('mytok');
  assert.equal(await store(handle), 0);
  assert.deepEqual(condor.calls(), [
    'query-oauth -s mytok -H rd -S storage.read:/a,storage.read:/b -A https://data.example/x?a=1&b=2',
    'query-oauth -s mytok',
    'add-oauth -s mytok -H rd -S storage.read:/a,storage.read:/b -A https://data.example/x?a=1&b=2 -i -',
    'query-oauth -s mytok -H rd -S storage.read:/a,storage.read:/b -A https://data.example/x?a=1&b=2',
  ]);
  assert.equal(parseTop(Buffer.from(condor.file('me/mytok_rd.top') ?? '')).kind, 'handle');
  assert.deepEqual(said, []);
});

test('what is there with these scopes and this audience is left alone after one question', async (t) => {
  const { condor, store, holds } = submitter(t);
  holds('mytok');
  holds('mytok_rd', 'a,b|');
  assert.equal(await store('mytok&handle=rd&scopes=a,b', 'mytok'), 0);
  assert.deepEqual(condor.calls(), ['query-oauth -s mytok -H rd -S a,b', 'query-oauth -s mytok']);
});

test('a handle with other scopes is replaced, with its old token, and the user is told', async (t) => {
  const { condor, store, holds, said } = submitter(t);
  condor.set('credmon');
  holds('mytok');
  holds('mytok_rd', 'a|');
  assert.equal(await store('mytok&handle=rd&scopes=b'), 0);
  assert.deepEqual(
    condor.calls().map((call) => call.split('-')[0]),
    ['query', 'query', 'delete', 'add', 'query'],
  );
  assert.equal(condor.file('me/mytok_rd.asked'), 'b|');
  assert.match(said.join('\n'), /^\ntokeep: mytok\*rd was stored with other permissions; jobs that still use them/);
});

test('without the credential of the service nothing is stored or deleted, and the user reads how to log in', async (t) => {
  const { condor, store, holds, said } = submitter(t);
  holds('mytok_rd', 'a|');
  const fault = await faultOf(store('mytok&handle=rd&scopes=b'));
  assert.equal(fault.code, 'credential-missing');
  assert.match(
    fault.message,
    /^you have no credential mytok at this access point, of which mytok\*rd would be a part$/,
  );
  assert.match(fault.hint ?? '', /_CONDOR_SEC_CREDENTIAL_STORER= condor_submit -dry-run/);
  assert.equal(condor.file('me/mytok_rd.asked'), 'a|');
  assert.deepEqual(said, [''], 'condor_submit has begun a line');
});

test('the token is waited for, and a credmon that makes none within 20 s stops the submit', async (t) => {
  const { slept, whenAsleep, condor, store, holds } = submitter(t);
  holds('mytok');
  const fault = await faultOf(store('mytok&handle=rd&scopes=a'));
  assert.equal(fault.code, 'target-failed');
  assert.match(fault.message, /mytok\*rd is stored, but within 20 s the credmon made no token from it/);
  assert.match(fault.hint ?? '', /ask who runs \S+ to look at: tokeep credmon status \w+\/mytok_rd$/);
  const waited = slept.reduce((sum, length) => sum + length, 0);
  assert.ok(waited >= 20_000 && waited < 21_000, `${waited}`);
  whenAsleep(() => writeFileSync(join(condor.directory, 'me/mytok_rd.use'), 'token'));
  slept.length = 0;
  assert.equal(await store('mytok&handle=rd&scopes=a'), 0);
  assert.deepEqual(slept, [100]);
});

test("the access point's own issuer needs no login: the credential of its service is stored, too", async (t) => {
  const { condor, store } = submitter(t);
  condor.set('credmon');
  assert.equal(await store('scitokens', 'scitokens&handle=rd&scopes=read:/data'), 0);
  assert.ok(condor.file('me/scitokens.use'));
  assert.ok(condor.file('me/scitokens_rd.use'));
});

test('permissions without a handle that are not those of the credential are refused with the way to have both', async (t) => {
  const { store, holds } = submitter(t);
  holds('mytok', 'a|');
  assert.equal(await store('mytok'), 0);
  const fault = await faultOf(store('mytok&scopes=b'));
  assert.match(fault.hint ?? '', /mytok_oauth_permissions_rd/);
});

test('on a terminal a person learns after a second what is waited for, and a pipe nothing', async (t) => {
  for (const terminal of [true, false]) {
    const { store, holds, said, slept } = submitter(t, {}, { terminal });
    holds('mytok');
    const { hint } = await faultOf(store('mytok&handle=rd&scopes=a'));
    assert.match(hint ?? '', /credmon status/);
    assert.ok(slept.length > 3);
    const words = 'tokeep: waiting for the credmon to make a token from your credential mytok*rd';
    assert.deepEqual(said, terminal ? ['', words] : [''], 'said once, on a line of its own');
  }
});

test('a service that submits for others names the user, and its options for condor_store_cred are taken', async (t) => {
  const { condor, store, holds } = submitter(t, {
    CONDOR_VAULT_STORER_USER: 'me@campus.example',
    SEC_CREDENTIAL_STORECRED_OPTS: '-d  -n ap',
  });
  holds('mytok');
  assert.equal(await store('mytok&options=--minsecs=60'), 0);
  assert.deepEqual(condor.calls(), ['query-oauth -u me@campus.example -s mytok -d -n ap']);
});

test('what condor_credd refuses, and what is no request, is told in sentences', async (t) => {
  const { condor, store } = submitter(t);
  condor.answers(1, 'Operation failed.\n    Make sure your ALLOW_WRITE setting includes this host.');
  assert.match((await faultOf(store('mytok'))).message, /condor_credd was not reached, or does not let you in/);
  for (const bad of ['', '../x', 'a b', 'mytok&handle=../x', 'mytok&handle=a&handle=b', 'mytok*rd', '&handle=a']) {
    assert.equal((await faultOf(store(bad))).code, 'usage', bad);
  }
  const pelican = submitter(t, { CONDOR_CREDENTIAL_STORER_MODE: 'pelican' });
  assert.match((await faultOf(pelican.store('osdf'))).message, /Pelican/);
  const nowhere = submitter(t, { PATH: 'relative' });
  assert.match((await faultOf(nowhere.store('mytok'))).message, /condor_store_cred is not among the programs/);
});

test('any scopes and audience without a key of ours in them come back as they were', () => {
  const words = fc.string({ minLength: 1 }).filter((text) => !/&(handle|scopes|audience|options)=/.test(`${text}&`));
  fc.assert(
    fc.property(words, words, (scopes, audience) => {
      const read = storeRequestOf(`mytok&handle=rd&scopes=${scopes}&audience=${audience}`);
      assert.deepEqual(read, { service: 'mytok', handle: 'rd', scopes, audience });
    }),
  );
});

test('the storer and the producer are programs by a plain path', async (t) => {
  const { condor, holds } = submitter(t);
  holds('mytok');
  const { processes } = realWorld();
  const run = (file: string, ...args: readonly string[]) => {
    const env = { PATH: `${condor.directory}:${process.env['PATH']}` };
    return processes.run({ file: `${bin}${file}`, args, env, timeout: seconds(20), maxOutput: 65_536 });
  };
  assert.deepEqual(await run('tokeep-credential-storer', 'mytok'), {
    kind: 'exited',
    status: 0,
    stdout: '',
    stderr: '',
  });
  const missing = await run('tokeep-credential-storer', 'other&handle=x&scopes=a');
  assert.ok(missing.kind === 'exited' && missing.status === 5 && missing.stdout === '');
  assert.match(missing.stderr, /^\ntokeep: you have no credential other at this access point/);
  const produced = await run('scitokens_credential_producer');
  assert.ok(produced.kind === 'exited' && produced.status === 0 && /^.+\n$/.test(produced.stdout));
  assert.match(readFileSync(`${bin}scitokens_credential_producer`, 'utf8'), /^#!\/bin\/sh\n/);
});
