import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type FaultStep, faultyFiles } from '../../src/world/faulty-files.ts';
import type { Files } from '../../src/world/files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { hostileIssuer, json, type SeenRequest, type Step, token } from '../peers/hostile-issuer.ts';
import { oneLogin, type Setting, setting } from '../renew/setting.ts';

const top = (here: Setting) => join(here.dir, 'oauth_credentials', 'alice', 'robot.top');
const sent = (request: SeenRequest) => request.form.get('refresh_token');

/** Rotates: `rt-1` gives `rt-2`, and is dead from then on. */
function rotating(before: (request: SeenRequest) => Promise<void> = async () => {}): Step {
  let current = 1;
  return (response, request) => {
    if (sent(request) !== `rt-${current}` && sent(request) !== 'new-login') {
      return json(400, { error: 'invalid_grant' })(response, request);
    }
    current += 1;
    void before(request).then(() => token({ refresh_token: `rt-${current}` })(response, request));
  };
}

test('a successor takes the place of the spent one; scopes, owner and mode stay as they were', async () => {
  await using issuer = await hostileIssuer();
  issuer.always(rotating());
  await using here = await setting({ config: oneLogin(issuer.issuer), home: 'top' });
  await here.logIn('robot', 'rt-1');
  await here.pass();
  assert.equal(await readFile(top(here), 'utf8'), '{"refresh_token":"rt-2","scopes":"a, b"}');
  assert.equal((await stat(top(here))).mode & 0o777, 0o600);
  assert.equal((await here.store.secrets('robot' as never)).credential, undefined, 'the store holds no copy');
});

test('scenario 50: somebody logs in anew while a request is under way: the new login stays, and is what the next request sends', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer), home: 'top' });
  issuer.always(
    rotating(async (request) => {
      if (sent(request) === 'rt-1') await here.logIn('robot', 'new-login');
    }),
  );
  await here.logIn('robot', 'rt-1');
  await here.pass();
  assert.equal(await here.refreshToken('robot'), 'new-login');
  assert.ok(here.logged.some((line) => line.startsWith('successor-superseded')));
  await here.pass('forced');
  assert.equal(issuer.requests.map(sent).at(-1), 'new-login');
});

test('scenario 49: a user whose directory was swept under a request stays swept: nothing is made anew, and nothing hangs', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer), home: 'top' });
  const user = join(here.dir, 'oauth_credentials', 'alice');
  issuer.always(rotating(() => rm(user, { recursive: true })));
  await here.logIn('robot', 'rt-1');
  await here.pass();
  await assert.rejects(stat(user), { code: 'ENOENT' });
});

test('scenario 6: a successor that the full file system of the .top does not take is in the store, and in the .top as soon as there is room', async () => {
  await using issuer = await hostileIssuer();
  issuer.always(rotating());
  const plan: FaultStep[] = [{ op: 'rename', path: 'alice', code: 'ENOSPC', times: 2 }];
  const files: Files = faultyFiles(realFiles, plan);
  await using here = await setting({ config: oneLogin(issuer.issuer), home: 'top', world: { files } });
  await here.logIn('robot', 'rt-1');
  await here.pass();
  assert.equal(await here.refreshToken('robot'), 'rt-1', 'the first two renames failed');
  assert.equal((await here.store.secrets('robot' as never)).credential?.reveal(), 'rt-2');
  await here.pass('forced');
  assert.equal(await here.refreshToken('robot'), 'rt-3');
  assert.deepEqual(issuer.requests.map(sent), ['rt-1', 'rt-2']);
});

test('what is no credential is said with its file, and asks nobody', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer), home: 'top' });
  await here.logIn('robot', 'rt-1');
  await writeFile(top(here), '{"refresh_token": ');
  const report = await here.pass();
  assert.match(report.faults[0]?.message ?? '', /no credential in .*alice\/robot\.top: it is not JSON/);
  assert.equal(issuer.requests.length, 0);
});
