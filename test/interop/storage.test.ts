import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startIssuer } from './issuer-here.ts';
import { signOddly } from './odd-tokens.ts';
import { scitokensCfg } from './scitokens-cfg.ts';
import { startXrootd } from './start-xrootd.ts';
import { curl, davixGet, withTokenFile, xrdcp } from './storage-clients.ts';
import { surroundings } from './surroundings.ts';

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
  /** What libscitokens says of the token, where it is the token itself that is no good. */
  readonly why: readonly string[];
}

const refused: readonly Refused[] = [
  { title: 'for another path', token: good, path: '/secret.txt', why: [] },
  {
    title: 'for another service',
    token: await issuer.sign({ audiences: ['https://other.example'], scope }),
    path: '/data/hello.txt',
    why: ["'aud' claim verification failed."],
  },
  {
    title: 'that has ended',
    token: signOddly(key, { claims, times: { iat: -700, exp: -5 } }),
    path: '/data/hello.txt',
    why: ['token expired'],
  },
  {
    title: 'that is not valid yet',
    token: signOddly(key, { claims, times: { nbf: 120 } }),
    path: '/data/hello.txt',
    // Its words for both ends of a token's life.
    why: ['token expired'],
  },
];

const copy = (token: string, path: string, mode = 0o600) =>
  withTokenFile({ text: token, mode }, told, (file) => xrdcp(storage.rootsUrl + path, file, told));
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
    assert.deepEqual(storage.refusals(), why);
    const answers = [await davixGet(storage.url + path, token, told), await copy(token, path)];
    for (const { kind, text } of answers) {
      assert.equal(kind, 'failed');
      assert.match(text, /403|permission|auth failed/i);
    }
  });
}

test('without a token XRootD serves nothing', async () => {
  assert.equal(await curl(`${storage.url}/data/hello.txt`, {}, told), 403);
});

test('a token of ours that may modify writes below its path, and nowhere else', async () => {
  const put = (path: string) => curl(storage.url + path, { token: good, file: import.meta.filename }, told);
  assert.ok([200, 201].includes(await put('/data/new.txt')));
  assert.equal(await put('/new.txt'), 403);
});

test('xrdcp takes a token from a file of mode 0600, as tokens are delivered, and not from one of 0640', async () => {
  assert.deepEqual(await copy(good, '/data/hello.txt', 0o600), hello);
  assert.equal((await copy(good, '/data/hello.txt', 0o640)).kind, 'failed');
});
