import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, minutes } from '../../src/token/time.ts';
import { faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { hostileIssuer, json, resetBeforeAnswer, token } from '../peers/hostile-issuer.ts';
import { oneLogin, setting } from './setting.ts';

const scope = 'storage.read:/';

test('a rotated refresh token replaces the old one in the store, and the spool is empty again', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer) });
  await here.logIn('robot', 'rt-1');
  issuer.script(token({ refresh_token: 'rt-2', scope }));
  const report = await here.pass();
  assert.equal(report.renewed, 1);
  assert.equal(await here.refreshToken('robot'), 'rt-2');
  assert.equal(await here.delivered('token'), 'opaque-access-token');
  const account = await here.account('robot');
  assert.equal(account.intent, null);
  assert.equal(account.login, 'ready');
});

test('scenario 4: an answer without a refresh token leaves the old one, also after a restart', async () => {
  await using issuer = await hostileIssuer();
  const config = oneLogin(issuer.issuer);
  const first = await setting({ config });
  await first.logIn('robot', 'rt-1');
  issuer.script(token({ scope }), token({ scope }));
  await first.pass();
  await first.close();
  await using second = await setting({ config, dir: first.dir });
  await second.pass('forced');
  assert.deepEqual(
    issuer.requests.map(({ form }) => form.get('refresh_token')),
    ['rt-1', 'rt-1'],
  );
});

test('scenario 5: a good refresh token in a bad answer is saved first, and the next try uses it', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer) });
  await here.logIn('robot', 'rt-1');
  issuer.script(
    json(200, { refresh_token: 'rt-2', access_token: 42, expires_in: -1 }),
    token({ refresh_token: 'rt-3', scope }),
  );
  const failed = await here.pass();
  assert.equal(failed.renewed, 0);
  assert.equal(await here.refreshToken('robot'), 'rt-2');
  assert.equal((await here.wish('monitoring')).trouble?.code, 'issuer-nonsense');
  await here.pass('forced');
  assert.deepEqual(
    issuer.requests.map(({ form }) => form.get('refresh_token')),
    ['rt-1', 'rt-2'],
  );
  assert.equal(await here.delivered('token'), 'opaque-access-token');
});

test('scenario 2: a lost answer is unknown, not failed; the old token is presented once more, and a no is final with the reason', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer) });
  await here.logIn('robot', 'rt-1');
  issuer.script(resetBeforeAnswer, json(400, { error: 'invalid_grant' }));
  await here.pass();
  const unknown = await here.account('robot');
  assert.equal(unknown.intent?.outcome, 'unknown');
  assert.equal((await here.wish('monitoring')).trouble?.code, 'outcome-unknown');
  await here.pass('forced');
  const dead = await here.account('robot');
  assert.equal(dead.login, 'dead');
  assert.match(dead.trouble?.sentence ?? '', /the answer to a request of 20.*Z never arrived/);
  assert.equal(await here.refreshToken('robot'), 'rt-1', 'kept for diagnosis');
  await here.pass('forced');
  issuer.assertRequests(2);
});

test('scenario 2: an issuer with a grace gives the successor at the second presentation, and all is well', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer) });
  await here.logIn('robot', 'rt-1');
  issuer.script(resetBeforeAnswer, token({ refresh_token: 'rt-2', scope }));
  await here.pass();
  await here.pass('forced');
  const account = await here.account('robot');
  assert.equal(account.intent, null);
  assert.equal(account.trouble, null);
  assert.equal(await here.refreshToken('robot'), 'rt-2');
});

test('scenario 3: two processes on one state make one request; the other looks again and has nothing to do', async () => {
  await using issuer = await hostileIssuer();
  const config = oneLogin(issuer.issuer);
  await using first = await setting({ config });
  await first.logIn('robot', 'rt-1');
  const second = await setting({ config, dir: first.dir, node: 'node-2' });
  issuer.always(token({ refresh_token: 'rt-2', scope }));
  await Promise.all([first.pass(), second.pass()]);
  issuer.assertRequests(1);
  await second.close();
});

test('scenario 6: when no disk takes the successor it is held in memory, nothing more is sent, and it is saved when the disk is back', async () => {
  await using issuer = await hostileIssuer();
  const spoolFiles = faultyFiles(realFiles, [{ op: 'rename', code: 'EIO', times: 2 }]);
  const lost = Promise.withResolvers<void>();
  await using here = await setting({ config: oneLogin(issuer.issuer), spoolFiles });
  await here.logIn('robot', 'rt-1');
  const save = here.store.saveAccount.bind(here.store);
  let refusals = 0;
  // The store's own disk refuses the successor too, once.
  here.store.saveAccount = async (next, secrets) => {
    if (secrets?.credential?.reveal() === 'rt-2' && refusals++ === 0) {
      lost.resolve();
      throw new Error('disk full');
    }
    await save(next, secrets);
  };
  issuer.script(token({ refresh_token: 'rt-2', scope }));
  const pass = here.pass();
  await lost.promise;
  await pass;
  assert.ok(here.logged.some((line) => line.startsWith('successor-kept-in-memory')));
  assert.ok(here.logged.some((line) => line.startsWith('successor-saved')));
  assert.equal(await here.refreshToken('robot'), 'rt-2');
  issuer.assertRequests(1);
});

test('scenario 6: the second spool takes what the first one refuses', async () => {
  await using issuer = await hostileIssuer();
  const spoolFiles = faultyFiles(realFiles, [{ op: 'rename', code: 'EROFS', times: 1 }]);
  await using here = await setting({ config: oneLogin(issuer.issuer), spoolFiles, secondSpool: true });
  await here.logIn('robot', 'rt-1');
  issuer.script(token({ refresh_token: 'rt-2', scope }));
  assert.equal((await here.pass()).renewed, 1);
  assert.equal(await here.refreshToken('robot'), 'rt-2');
});

test('scenario 15: where no room can be reserved, nothing is spent', async () => {
  await using issuer = await hostileIssuer();
  const spoolFiles = faultyFiles(realFiles, [{ op: 'write', code: 'ENOSPC' }]);
  await using here = await setting({ config: oneLogin(issuer.issuer), spoolFiles });
  await here.logIn('robot', 'rt-1');
  await here.pass();
  issuer.assertRequests(0);
  assert.equal((await here.wish('monitoring')).trouble?.code, 'state-write-failed');
  assert.equal(await here.refreshToken('robot'), 'rt-1');
});

test('scenario 6: a disk that is full for long is looked at again within a minute, however often it was', async () => {
  await using issuer = await hostileIssuer();
  const spoolFiles = faultyFiles(realFiles, [{ op: 'write', code: 'ENOSPC', times: 100 }]);
  await using here = await setting({ config: oneLogin(issuer.issuer), spoolFiles });
  await here.logIn('robot', 'rt-1');
  for (let times = 0; times < 12; times += 1) await here.pass('forced');
  const { failures, trouble, dueAt } = await here.wish('monitoring');
  assert.deepEqual([failures, trouble?.code, trouble?.attempts], [0, 'state-write-failed', 12]);
  assert.ok(between(here.world.clock.now(), dueAt) <= minutes(1));
});

test('scenario 8: a refresh token used elsewhere suspends the login; it is kept, not repeated at once, and the text says why', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer) });
  await here.logIn('robot', 'rt-1');
  issuer.always(json(400, { error: 'invalid_grant' }));
  await here.pass();
  await here.pass('forced');
  issuer.assertRequests(1);
  const account = await here.account('robot');
  assert.equal(account.login, 'suspended');
  assert.match(account.trouble?.sentence ?? '', /used elsewhere/);
  assert.match(account.trouble?.hint ?? '', /tokeep account login robot/);
  assert.equal(await here.refreshToken('robot'), 'rt-1');
});

test('scenario 44: no refresh token in anything that was logged or recorded', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer) });
  await here.logIn('robot', 'canary-rt-1');
  const description = 'the token canary-rt-1 is bad';
  issuer.script(
    json(400, { error: 'invalid_request', error_description: description }),
    json(200, { refresh_token: 'canary-rt-2' }),
  );
  await here.pass();
  await here.pass('forced');
  const said = JSON.stringify([here.logged, await here.store.wishes(), await here.store.accounts()]);
  assert.ok(!said.includes('canary'), said);
});
