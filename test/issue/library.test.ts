import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Fault, openIssuer } from '../../src/issue/index.ts';
import { createIssuer } from '../../src/mint/create-issuer.ts';
import type { IssuerSettings } from '../../src/mint/issuer.ts';
import { openSealer } from '../../src/store/seal-key.ts';
import { hours } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { emptyDirectory, url } from './site-peer.ts';

const world = realWorld();

async function issuerOf(
  t: TestContext,
  keys: IssuerSettings['keys'],
): Promise<{ directory: string; sealKeyFile: string }> {
  const place = await emptyDirectory(t);
  const [directory, sealKeyFile] = [join(place, 'issuer'), join(place, 'seal.key')];
  const policy = {
    ...{ scopes: ['compute.read', 'storage.read:/vo'], audiences: ['ce*.example:9619'], everyone: false, groups: [] },
    ...{ subjects: ['pilot-*'], claims: [], suspended: ['pilot-bad'], lifetime: { usual: hours(1), most: hours(2) } },
  };
  const deps = { sealer: () => openSealer(world, { keyFile: sealKeyFile }), chain: 'test' };
  const settings = { url, profile: 'wlcg', keys, policy, store: { kind: 'sqlite' } } as const;
  await (await createIssuer(world, directory, { ...settings, algorithm: 'ES256', by: 'test' }, deps)).close();
  return { directory, sealKeyFile };
}

const wish = { subject: 'pilot-1', audiences: ['ce1.example:9619'], scopes: ['compute.read'] };

test('a program signs with an issuer that was made by the command, and jose verifies it with the keys to be published', async (t) => {
  for (const keys of ['file', 'sealed'] as const) {
    await using issuer = await openIssuer(await issuerOf(t, keys));
    const signed = await issuer.sign({ ...wish, lifetime: 86_400 });
    const jwks = createLocalJWKSet((await issuer.jwks()) as Parameters<typeof createLocalJWKSet>[0]);
    const audience = wish.audiences[0] ?? '';
    const { payload } = await jwtVerify(signed.token.reveal(), jwks, { issuer: issuer.url, audience });
    assert.equal(payload.sub, 'pilot-1');
    assert.equal(payload.exp, signed.expiresAt.getTime() / 1000);
    assert.match(signed.remarks.join(), /cut from 24 h to 2 h/);
    assert.equal(inspect(signed).includes(signed.token.reveal()), false);
  }
});

test('the policy binds a program as it binds the commands', async (t) => {
  await using issuer = await openIssuer(await issuerOf(t, 'file'));
  const refused = (more: object) =>
    assert.rejects(
      issuer.sign({ ...wish, ...more }),
      (thrown) => thrown instanceof Fault && thrown.code === 'policy-refused',
    );
  await refused({ subject: 'root' });
  await refused({ subject: 'pilot-bad' });
  await refused({ audiences: 'everyone' });
  await refused({ scopes: ['storage.read:/'] });
});

test('a sealing key that is not there is a mistake, and none is made', async (t) => {
  const { directory } = await issuerOf(t, 'sealed');
  const nowhere = join(directory, '../nowhere.key');
  await using issuer = await openIssuer({ directory, sealKeyFile: nowhere });
  await assert.rejects(issuer.sign(wish), /the sealing key .*nowhere\.key is not there/);
  assert.equal(await world.files.facts(nowhere), undefined);
});
