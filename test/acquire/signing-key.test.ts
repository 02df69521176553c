import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signingKey } from '../../src/acquire/signing-key.ts';
import type { SigningKeyAccount } from '../../src/config/config.ts';
import { ownIssuers } from '../../src/mint/own-issuers.ts';
import { decodeJwt } from '../../src/token/jwt.ts';
import type { AccountName } from '../../src/token/names.ts';
import { seconds } from '../../src/token/time.ts';
import { createIssuer, deps, freshDirectory, newIssuer } from '../mint/issuer-bed.ts';
import { contextOf, testWorld, wish } from './grant-samples.ts';

test('groups are signed as they were named; the default ones, which there are none of, are refused and not dropped', async () => {
  const world = testWorld();
  const keys = freshDirectory();
  await (await createIssuer(world, keys, newIssuer(), deps)).close();
  const issuers = ownIssuers(world, deps);
  const account: SigningKeyAccount = {
    name: 'vo' as AccountName,
    at: { file: 'tokeep.yaml', line: 1, column: 1 },
    issuer: { kind: 'of-credential' },
    audienceStyle: 'auto',
    timeout: seconds(10),
    fingerprint: 'a1',
    grant: 'signing_key',
    keys,
  };
  const context = { ...contextOf(world, account), ownIssuers: issuers };
  const asked = (scope: string) =>
    signingKey.send(context, { ...wish('https://se.example.org', scope), subject: 'pilot-1' });
  const raw = await asked('compute.read wlcg.groups:/osg/a');
  assert.ok(raw.kind === 'raw');
  const decoded = decodeJwt(JSON.parse(raw.body).access_token);
  assert.deepEqual(decoded.kind === 'jwt' && decoded.claims['wlcg.groups'], ['/osg/a']);
  const refused = await asked('compute.read wlcg.groups');
  assert.ok(refused.kind === 'none');
  assert.deepEqual(
    [refused.fault.code, refused.fault.hint],
    ['request-refused', 'name the groups, as in `wlcg.groups:/vo`'],
  );
  await issuers.close();
  await world.http.close();
});
