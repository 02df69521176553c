import assert from 'node:assert/strict';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startIssuer } from './issuer-here.ts';
import { signOddly } from './odd-tokens.ts';
import { scitokensCfg } from './scitokens-cfg.ts';
import { startXrootd } from './start-xrootd.ts';
import { type Answer, curl, davixGet, xrdcp } from './storage-clients.ts';
import { surroundings } from './surroundings.ts';
import { tokeepOn } from './tokeep.ts';

const told = surroundings();
const issuer = await startIssuer(told);
await issuer.publish();
const storage = await startXrootd(
  {
    scitokens: (audience) => scitokensCfg({ audience, issuer: issuer.url, basePath: '/', onmissing: 'deny' }),
    files: { '/data/hello.txt': 'hello\n', '/secret.txt': 'secret\n' },
  },
  told,
);
after(async () => {
  await storage[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

const scope = 'storage.read:/data storage.modify:/data';
const good = await issuer.sign({ audiences: [storage.url], scope });
const key = await issuer.signingKey();
const claims = { iss: issuer.url, sub: 'robot', aud: storage.url, scope };

interface Refused {
  readonly title: string;
  readonly token: string;
  readonly path: string;
  /** What libscitokens says of the token, if it is the token itself that is no good. */
  readonly why?: RegExp;
}

const refused: readonly Refused[] = [
  { title: 'for another path', token: good, path: '/secret.txt' },
  {
    title: 'for another service',
    token: await issuer.sign({ audiences: ['https://other.example'], scope }),
    path: '/data/hello.txt',
    why: /^'aud' claim verification failed/,
  },
  {
    title: 'that has ended',
    token: signOddly(key, { claims, times: { iat: -700, exp: -5 } }),
    path: '/data/hello.txt',
    why: /^token expired/,
  },
  {
    title: 'that is not valid yet',
    token: signOddly(key, { claims, times: { nbf: 120 } }),
    path: '/data/hello.txt',
    // Release 0.7.3 has the same words for both ends of a token's life.
    why: /^token (expired|not yet valid)/i,
  },
];

async function copy(token: string, path: string): Promise<Answer> {
  const file = join(told.directory, 'given');
  await writeFile(file, token, { mode: 0o600 });
  return await xrdcp(storage.rootsUrl + path, file, told);
}
const hello = { kind: 'done', text: 'hello\n' };

test('a token of ours opens the file it is for, through curl, davix, and xrdcp', async () => {
  assert.equal(await curl(`${storage.url}/data/hello.txt`, { token: good }, told), 200);
  assert.deepEqual(await davixGet(`${storage.url}/data/hello.txt`, good, told), hello);
  assert.deepEqual(await copy(good, '/data/hello.txt'), hello);
});

for (const { title, token, path, why } of refused) {
  test(`a token of ours ${title} is refused, through curl, davix, and xrdcp`, async () => {
    storage.refusals();
    assert.equal(await curl(storage.url + path, { token }, told), 403);
    const [refusal] = storage.refusals();
    if (why === undefined) assert.equal(refusal, undefined);
    else assert.match(refusal ?? '', why);
    const answers = [await davixGet(storage.url + path, token, told), await copy(token, path)];
    for (const { kind, text } of answers) {
      assert.equal(kind, 'failed');
      assert.match(text, /403|permission|auth failed/i);
    }
  });
}

test('tokeep can, given the configuration of this XRootD, says of those tokens what XRootD does', async () => {
  const can = (token: string, path: string) =>
    tokeepOn(token, 'can', '--issuer-config', storage.configFile, '--ca-file', told.caFile, 'read', path);
  assert.equal((await can(good, '/data/hello.txt')).status, 0);
  for (const { title, token, path } of refused) assert.equal((await can(token, path)).status, 6, title);
});

test('without a token XRootD serves nothing', async () => {
  assert.equal(await curl(`${storage.url}/data/hello.txt`, {}, told), 403);
});

test('a token of ours that may modify writes below its path, and nowhere else', async () => {
  const put = (path: string) => curl(storage.url + path, { token: good, file: import.meta.filename }, told);
  assert.ok([200, 201].includes(await put('/data/new.txt')));
  assert.equal(await put('/new.txt'), 403);
});

test('xrdcp takes a token from the file that tokeep wrote it to, and no longer once others may read that', async () => {
  const file = join(told.directory, 'delivered');
  await issuer.signTo(file, { audiences: [storage.url], scope });
  const copied = () => xrdcp(`${storage.rootsUrl}/data/hello.txt`, file, told);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await copied(), hello);
  await chmod(file, 0o640);
  assert.equal((await copied()).kind, 'failed');
});
