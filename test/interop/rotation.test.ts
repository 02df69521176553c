import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IssuerHere, startIssuer } from './issuer-here.ts';
import { keysAreForgotten, refreshIsDue } from './key-cache.ts';
import { scitokensCfg } from './scitokens-cfg.ts';
import { type Storage, startXrootd } from './start-xrootd.ts';
import { curl } from './storage-clients.ts';
import { surroundings } from './surroundings.ts';

const told = surroundings();
const unpublished = ['Key ID is not published by the issuer.'];

interface Both {
  readonly issuer: IssuerHere;
  readonly storage: Storage;
  /** A new token, signed with the key that signs now: XRootD remembers for a minute what a token it has seen may do. */
  sign(): Promise<string>;
  read(token: string): Promise<number>;
  step(): Promise<void>;
}

/** An issuer whose first token was accepted, so that XRootD has its keys. */
async function withBoth(use: (both: Both) => Promise<void>): Promise<void> {
  await using issuer = await startIssuer(told);
  await issuer.publish();
  const scitokens = (audience: string) =>
    scitokensCfg({ audience, issuer: issuer.url, basePath: '/', onmissing: 'deny' });
  await using storage = await startXrootd({ scitokens, files: { '/data/hello.txt': 'hello\n' } }, told);
  const wish = { audiences: [storage.url], scope: 'storage.read:/data' };
  const sign = async () => (await issuer.mint([wish]))[0] ?? '';
  const read = (token: string) => curl(`${storage.url}/data/hello.txt`, { token }, told);
  assert.equal(await read(await sign()), 200);
  assert.equal(issuer.site.asked().length, 2, 'the metadata and the keys');
  await use({
    ...{ issuer, storage, sign, read },
    async step() {
      await issuer.rotate();
      await issuer.publish();
    },
  });
}

test('keys rotated in their time: XRootD refuses no token at any step, and the old key once it is removed', () =>
  withBoth(async ({ issuer, storage, sign, read, step }) => {
    const old = await Promise.all([sign(), sign(), sign(), sign(), sign()]);
    await step();
    assert.equal(await read(old[0] ?? ''), 200, 'the next key is published, and XRootD has not looked');
    refreshIsDue(storage);
    assert.equal(await read(old[1] ?? ''), 200, 'the next key is published, and XRootD has looked');
    assert.equal(issuer.site.asked().length, 2);
    await step();
    assert.equal(await read(await sign()), 200, 'the next key signs now');
    assert.equal(await read(old[2] ?? ''), 200, 'the old key is retired');
    assert.deepEqual(issuer.site.asked(), [], 'XRootD knew both keys');
    await step();
    assert.equal(await read(old[3] ?? ''), 200, 'the old key is removed, and XRootD has not looked');
    refreshIsDue(storage);
    assert.equal(await read(await sign()), 200, 'the next key goes on');
    assert.equal(await read(old[4] ?? ''), 403, 'the old key is removed, and XRootD has looked');
    assert.deepEqual(storage.refusals(), unpublished);
    assert.equal(await read(old[3] ?? ''), 200, 'a token seen in the last minute is not looked at again');
  }));

test('a key that signs as soon as it is published is refused until XRootD looks again, and it does not look because of that', () =>
  withBoth(async ({ issuer, storage, sign, read, step }) => {
    const old = await sign();
    await step();
    await step();
    const early = await sign();
    assert.equal(await read(early), 403);
    assert.deepEqual(storage.refusals(), unpublished);
    assert.deepEqual(issuer.site.asked(), []);
    assert.equal(await read(old), 200);
    refreshIsDue(storage);
    assert.equal(await read(early), 200);
  }));

test('while the web site is away XRootD goes on with the keys it has, and without any it refuses', () =>
  withBoth(async ({ issuer, storage, sign, read }) => {
    await issuer.site[Symbol.asyncDispose]();
    refreshIsDue(storage);
    assert.equal(await read(await sign()), 200);
    keysAreForgotten(storage);
    assert.equal(await read(await sign()), 403);
  }));
