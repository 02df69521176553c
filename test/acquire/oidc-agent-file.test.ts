import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import fc from 'fast-check';
import { AgentAccount, readAgentAccount, writeAgentAccount } from '../../src/acquire/oidc-agent-file.ts';
import { openAgentFile, sealAgentFile } from '../../src/acquire/oidc-agent-sealing.ts';
import { Fault } from '../../src/fault/fault.ts';
import { Secret } from '../../src/token/secret.ts';
import type { Random } from '../../src/world/random.ts';
import { realRandom } from '../../src/world/real-random.ts';

const password = new Secret('password', 'correct horse');
/** Made with libsodium and read by `oidc-gen --print`: salt 00..0f, nonce 00..17. */
const vector = `49
AAECAwQFBgcICQoLDA0ODxAREhMUFRYX
AAECAwQFBgcICQoLDA0ODw==
24:16:16:32:1:2:67108864:2
cb4tNEsKvXaNXsRuw+Dhxl6U++UvFSbo4DYfc55aJ7ApaUma5WFxk80vNeaN6wKvbA==
GUR7cJ2ZFoqnGH9wpG75ZaV2phh55a8RVS7pTkdTFKY=
Generated using version: 5.3.3`;
const counting: Random = { ...realRandom, bytes: (length) => Buffer.from(Array.from({ length }, (_, n) => n)) };

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const thrown = await work.then(
    () => assert.fail('nothing was thrown'),
    (reason: unknown) => reason,
  );
  assert.ok(thrown instanceof Fault, inspect(thrown));
  return thrown;
}

test('a file of oidc-agent 5.3.3 is read, and written again byte for byte', async () => {
  const account = await readAgentAccount(vector, password);
  assert.equal(account.name, 't');
  assert.equal(account.credential?.kind, 'refresh_token');
  assert.equal(account.credential?.reveal(), 'rt');
  assert.equal(account.version, '5.3.3');
  assert.equal(await writeAgentAccount(account, password, counting), vector);
});

test('a successor replaces the refresh token and nothing else', async () => {
  const document = {
    name: 'x',
    issuer: 'https://issuer.example/',
    client_id: 'id',
    client_secret: 'cs',
    refresh_token: 'old',
    scope: 'openid offline_access',
    mytoken_profile: { a: [1, 2] },
    daeSetByUser: 0,
    unheard_of: null,
  };
  const account = new AgentAccount(document, '4.2.6').withSuccessor(new Secret('refresh_token', 'new'));
  const again = await readAgentAccount(await writeAgentAccount(account, password, realRandom), password);
  assert.deepEqual(JSON.parse(again.reveal()), { ...document, refresh_token: 'new' });
  assert.equal(again.version, '4.2.6');
  assert.equal(again.issuer, 'https://issuer.example/');
  assert.equal(again.scope, 'openid offline_access');
  assert.equal(again.clientSecret?.reveal(), 'cs');
});

test('an account of a Mytoken server holds a mytoken, and empty texts count as absent', () => {
  const account = new AgentAccount({ refresh_token: 'mt', mytoken_url: 'https://mytok.eu', client_id: '' }, '5.3.3');
  assert.equal(account.credential?.kind, 'mytoken');
  assert.equal(account.mytokenServer, 'https://mytok.eu');
  assert.equal(account.clientId, undefined);
});

test('scenario 44: an account never shows its secrets when it is printed', () => {
  const secret = 'canary-5c1f';
  const account = new AgentAccount(
    { name: 'n', refresh_token: secret, client_secret: secret, password: secret, registration_access_token: secret },
    '5.3.3',
  );
  for (const text of [inspect(account, { depth: 9, showHidden: true }), JSON.stringify(account), `${account}`]) {
    assert.ok(!text.includes(secret), text);
  }
});

test('a wrong password is told apart from a damaged file', async () => {
  const wrong = await faultOf(readAgentAccount(vector, new Secret('password', 'wrong')));
  assert.equal(wrong.code, 'agent-file-invalid');
  assert.match(wrong.message, /does not open with this password/);
  const flipped = await faultOf(readAgentAccount(vector.replace('cb4t', 'cb4u'), password));
  assert.match(flipped.message, /ciphertext was changed/);
});

test('one line of an agent before 2.1.0 is read, whichever way its key was derived', async () => {
  const plain = '{"name":"old","refresh_token":"rt"}';
  const salt = Buffer.alloc(16, 7);
  const nonce = Buffer.alloc(24, 9);
  for (const [algorithm, passes, memory] of [
    ['argon2id', 2, 65_536],
    ['argon2i', 4, 32_768],
  ] as const) {
    const message = Buffer.from(password.reveal());
    const key = argon2Sync(algorithm, { message, nonce: salt, parallelism: 1, tagLength: 32, memory, passes });
    const sealed = Buffer.from(xsalsa20poly1305(key, nonce).encrypt(Buffer.from(plain)));
    const line = [sealed.length, salt.toString('hex'), nonce.toString('hex'), sealed.toString('hex')].join(':');
    assert.equal((await readAgentAccount(line, password)).name, 'old');
    assert.equal((await readAgentAccount(`${line}\nGenerated using version: 2.0.3`, password)).name, 'old');
  }
});

test('a file for GPG says how to export it', async () => {
  const fault = await faultOf(readAgentAccount('-----BEGIN PGP MESSAGE-----\n\nabc\n', password));
  assert.match(fault.message, /GPG/);
  assert.match(fault.hint ?? '', /oidc-gen/);
});

test('garbage and cut-off files give a sentence without a secret', async () => {
  const lines = vector.split('\n');
  const corpus = [
    '',
    '\n',
    '{}',
    '49',
    vector.replace('49', '48'),
    vector.replace('49', '-1'),
    vector.replace('2:67108864:2', '9:1:2'),
    `${vector}\nmore`,
    ...lines.map((_, n) => lines.slice(0, n).join('\n')),
    ...lines.map((_, n) => lines.with(n, '').join('\n')),
    ...lines.map((_, n) => lines.with(n, '\u0000\ufffd$$$').join('\n')),
  ];
  for (const file of corpus) {
    const fault = await faultOf(readAgentAccount(file, password));
    assert.equal(fault.code, 'agent-file-invalid', file);
    const said = `${fault.message} ${fault.hint} ${fault.cause}`;
    for (const secret of ['correct horse', 'cb4tNEsK', 'GUR7cJ2Z']) assert.ok(!said.includes(secret), said);
  }
});

test('what was sealed is opened again, whatever it is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1 }), async (text, word) => {
      const key = new Secret('password', word.toWellFormed());
      const opened = { text: text.toWellFormed(), version: '5.3.3' };
      assert.deepEqual(await openAgentFile(await sealAgentFile(opened, key, realRandom), key), opened);
    }),
    { numRuns: 5 },
  );
});
