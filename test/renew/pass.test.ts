import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import type { JobReport } from '../../src/renew/job.ts';
import { runPass } from '../../src/renew/pass.ts';
import { hostileIssuer, token } from '../peers/hostile-issuer.ts';
import { manyWishes, neverAborted, oneLogin, setting } from './setting.ts';

test('a batch that cannot be claimed ends the pass only after the wishes at work have ended', async () => {
  await using issuer = await hostileIssuer();
  // One more than a batch.
  await using here = await setting({
    config: manyWishes(issuer.issuer, { logins: 0, robots: 1_001 }, '', { deliver: false }),
  });
  const { engine } = here;
  const refused = Promise.withResolvers<void>();
  issuer.script((response, request) => {
    void refused.promise.then(() => token({ scope: 'storage.read:/' })(response, request));
  });
  const claim = engine.claim.bind(engine);
  let claims = 0;
  engine.claim = async (_limit, names) => {
    claims += 1;
    if (claims === 1) return await claim(1, names);
    refused.resolve();
    throw new Fault('state-write-failed', 'the disk is full');
  };
  const reports: JobReport[] = [];
  const pass = runPass(engine, {
    mode: 'pass',
    signals: neverAborted,
    onReport: (report) => void reports.push(report),
  });
  await assert.rejects(pass, { code: 'state-write-failed' });
  assert.equal(claims, 2);
  assert.deepEqual(
    reports.map(({ renewed }) => renewed),
    [true],
  );
});

test('every pass tries a failed target anew and counts it, whatever its next try was to be', async () => {
  await using issuer = await hostileIssuer();
  await using here = await setting({ config: oneLogin(issuer.issuer).replace('DIR/token', 'DIR/later/token') });
  await here.logIn('robot', 'rt-1');
  issuer.always(token({ scope: 'storage.read:/' }));
  assert.equal((await here.pass()).undelivered, 1);
  assert.equal((await here.pass()).undelivered, 1);
  await mkdir(join(here.dir, 'later'));
  assert.equal((await here.pass()).undelivered, 0);
  assert.equal(await here.delivered('later/token'), 'opaque-access-token');
});
