import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import type { JobReport } from '../../src/renew/job.ts';
import { runPass } from '../../src/renew/pass.ts';
import { hostileIssuer, token } from '../peers/hostile-issuer.ts';
import { manyWishes, neverAborted, setting } from './setting.ts';

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
