import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { millis } from '../../src/token/time.ts';
import { realHttp } from '../../src/world/real-http.ts';
import { filesBelow } from '../issue/site-peer.ts';
import { type StaticHost, staticHost } from '../peers/static-host.ts';
import { type ThrowAwayCa, throwAwayCa } from '../peers/throw-away-ca.ts';
import { assertSentence, type House, house, type Ran } from './house.ts';

const http = realHttp({});
let ca: ThrowAwayCa;
before(async () => {
  ca = await throwAwayCa();
});
after(async () => {
  await http.close();
  await ca.remove();
});

interface Place {
  readonly at: House;
  readonly host: StaticHost;
  readonly url: string;
  readonly www: string;
  /** `tokeep issuer …`, which has to succeed. */
  issuer(...args: readonly string[]): Promise<Ran>;
  /** What a service out there says, by the keys that it fetches itself. */
  verify(token: string): ReturnType<typeof jwtVerify>;
}

const ce = 'ce1.example.org:9619';
const pilot = ['--subject', 'vofrontend-ce1', '--audience', ce, '--scope', 'compute.read compute.create'];

/** A machine without any configuration, and a web server that shows what is published. */
async function place(t: TestContext): Promise<Place> {
  const at = await house({ TOKEEP_CONFIG: '' });
  const www = at.path('www');
  await mkdir(www);
  const host = await staticHost(www, await ca.certificate());
  t.after(async () => {
    await host[Symbol.asyncDispose]();
    await at[Symbol.asyncDispose]();
  });
  const url = `${host.origin}/vo`;
  async function issuer(...args: readonly string[]): Promise<Ran> {
    const ran = await at.run(['issuer', ...args]);
    assert.equal(ran.status, 0, `issuer ${args.join(' ')}: ${ran.stdout}${ran.stderr}`);
    return ran;
  }
  const get = async (address: string) => {
    const question = {
      method: 'GET',
      url: new URL(address),
      timeout: millis(10_000),
      maxBytes: 1e6,
      connection: 'fresh',
    } as const;
    const answer = await http.send({ ...question, caFile: ca.caFile });
    assert.ok(answer.kind === 'answer' && answer.status === 200, address);
    return JSON.parse(answer.body);
  };
  async function verify(token: string): ReturnType<typeof jwtVerify> {
    const { issuer: iss, jwks_uri: jwks } = await get(`${decodeJwt(token).iss}/.well-known/openid-configuration`);
    return await jwtVerify(token, createLocalJWKSet(await get(jwks)), { issuer: iss, audience: ce });
  }
  return { at, host, url, www, issuer, verify };
}

const signed = async ({ issuer }: Place, ...more: readonly string[]): Promise<string> =>
  (await issuer('sign', ...pilot, ...more)).stdout.trimEnd();
const kidsOf = async ({ issuer }: Place): Promise<readonly { kid: string; state: string }[]> =>
  JSON.parse((await issuer('list', '--json')).stdout).keys;

test('from nothing to a token that services accept: init, publish, check, sign, verify', async (t) => {
  const here = await place(t);
  const { at, issuer, url, www, verify } = here;
  await issuer('init', '--issuer', url);
  const { stderr } = await issuer('publish', www);
  assert.match(stderr, /counted as published/);
  assert.match((await issuer('check', '--ca-file', ca.caFile)).stdout, /is in order/);
  const bySystem = await at.run(['issuer', 'check'], { env: { SSL_CERT_FILE: ca.caFile } });
  assert.match(bySystem.stdout, /ok: the certificate of \S+ is good for/, bySystem.stderr);
  const token = await signed(here, '--lifetime', '20m');
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  const { payload, protectedHeader } = await verify(token);
  assert.deepEqual([payload.sub, payload.aud, payload['wlcg.ver']], ['vofrontend-ce1', ce, '1.0']);
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 1200);
  assert.equal(protectedHeader.kid, (await kidsOf(here))[0]?.kid);
  const verified = await at.run(['verify', '--issuer', url, '--audience', ce, '--ca-file', ca.caFile], {
    input: token,
  });
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  await using otherCa = await throwAwayCa();
  const mistrusted = await at.run(['verify', '--issuer', url, '--ca-file', otherCa.caFile], { input: token });
  assert.equal(mistrusted.status, 4, 'keys of an earlier time do not stand in for a CA that does not fit');
  for (const said of at.heard.filter((text) => text !== `${token}\n`))
    assert.ok(!said.includes(token.split('.')[2] ?? ''));
});

test('the token goes to a file for us alone, whole; and its audit line says where', async (t) => {
  const here = await place(t);
  const { at, issuer, url } = here;
  await issuer('init', '--issuer', url, '--keys', 'file', '--algorithm', 'RS256');
  await at.file('out/ce1.token', 'old', 0o644);
  const { stdout } = await issuer('sign', ...pilot, '--output', at.path('out/ce1.token'), '--json');
  const facts = JSON.parse(stdout);
  assert.equal(facts.token, undefined);
  assert.equal((await stat(at.path('out/ce1.token'))).mode & 0o777, 0o600);
  assert.equal(decodeJwt((await at.read('out/ce1.token')).trim()).jti, facts.jti);
  const story = await issuer('audit', '--jti', facts.jti);
  assert.match(story.stdout, new RegExp(`it went to file:${at.path('out/ce1.token')}`));
  assert.match(story.stdout, /good for \d+ min more[\s\S]*to contain it:[\s\S]*add "vofrontend-ce1" to "suspend"/);
  const lines = async () => (await issuer('audit', '--since', '1h')).stdout.match(/issued/g)?.length;
  const before = await lines();
  const nowhere = await at.run(['issuer', 'sign', ...pilot, '--output', at.path('nowhere/ce1.token')]);
  assert.deepEqual([nowhere.status, /could not be written to \S+: .*not there/.test(nowhere.stderr)], [5, true]);
  assert.equal(await lines(), before, 'a token was signed that could go nowhere');
  assert.deepEqual(await readdir(at.path('out')), ['ce1.token']);
  const [{ kid } = { kid: '' }] = await kidsOf(here);
  assert.equal((await stat(at.path(`state/issuers/default/keys/${kid}.pem`))).mode & 0o777, 0o600);
});

test('scenario 43: keys change without a token refused: made, published, waited for, signing, retired, removed', async (t) => {
  const here = await place(t);
  const { at, issuer, url, www, verify } = here;
  await issuer('init', '--issuer', url);
  await issuer('publish', www);
  const old = await signed(here);
  await issuer('rotate', '--now', '--reason', 'half a year early');

  const unpublished = await at.run(['issuer', 'rotate']);
  assert.deepEqual([unpublished.status, /never published/.test(unpublished.stderr)], [4, true], unpublished.stderr);
  const missing = await issuer('check', '--ca-file', ca.caFile);
  assert.match(missing.stdout, /warning: the key \S+ is to sign next, and is not published yet/);
  await issuer('publish', www);
  const early = await at.run(['issuer', 'rotate']);
  assert.deepEqual([early.status, /until 20\d\d-/.test(early.stderr)], [4, true], early.stderr);
  assert.match((await issuer('rotate', '--if-due')).stderr, /nothing to do yet/);

  await issuer('rotate', '--now', '--reason', 'the test cannot wait');
  const fresh = await signed(here);
  await Promise.all([verify(old), verify(fresh)]);
  assert.deepEqual(
    (await kidsOf(here)).map(({ state }) => state),
    ['retired', 'signing'],
  );
  await issuer('rotate', '--now', '--reason', 'the old key leaked');
  const leaked = await at.run(['issuer', 'check', '--ca-file', ca.caFile]);
  assert.deepEqual([leaked.status, /was removed, and is published still/.test(leaked.stdout)], [5, true]);
  await issuer('publish', www);
  await verify(fresh);
  await assert.rejects(verify(old), /no applicable key found/);
  assert.match((await issuer('check', '--ca-file', ca.caFile)).stdout, /is in order/);
  const { stdout } = await issuer('audit', '--since', '1h');
  assert.match(stdout, /key-removed by="rotate [^"]+" kid="\S+" reason="the old key leaked"/);
});

test('two access points of one issuer publish into one key set, and each signs with its own key', async (t) => {
  const here = await place(t);
  const { at, issuer, url, www, verify } = here;
  const dirs = ['one', 'other'].map((name) => ['--dir', at.path(name)] as const);
  const tokens: string[] = [];
  for (const dir of dirs) {
    await issuer('init', '--issuer', url, ...dir);
    await issuer('publish', www, ...dir);
    tokens.push((await issuer('sign', ...pilot, ...dir)).stdout.trim());
  }
  const kids = await Promise.all(tokens.map(async (token) => (await verify(token)).protectedHeader.kid));
  assert.equal(new Set(kids).size, 2);
  const before = await readFile(join(www, 'vo/oauth2/certs'), 'utf8');
  for (const dir of dirs) await issuer('publish', www, ...dir);
  assert.equal(await readFile(join(www, 'vo/oauth2/certs'), 'utf8'), before);
  await issuer('publish', www, ...(dirs[1] ?? []), '--prune');
  await assert.rejects(verify(tokens[0] ?? ''), /no applicable key found/);
});

test('a key that openssl made is taken over with the kid that it is published under', async (t) => {
  const here = await place(t);
  const { at, issuer, url, www, verify } = here;
  const pem = at.path('old.pem');
  await promisify(execFile)('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', pem]);
  // What the scitokens tools publish: a kid of four digits, padding, no curve.
  const kids = ['--kid', 'c013', '--key', pem, '--dir', at.path('first')];
  await issuer('import', '--issuer', url, ...kids);
  await issuer('publish', www, '--dir', at.path('first'));
  const jwks = JSON.parse(await readFile(join(www, 'vo/oauth2/certs'), 'utf8'));
  const odd = jwks.keys.map(({ crv: _crv, ...key }: Record<string, string>) => ({ ...key, x: `${key['x']}=` }));
  const set = await at.file('certs', JSON.stringify({ keys: odd }));
  const { stdout, stderr } = await issuer('import', '--issuer', url, '--key', pem, '--jwks', set);
  assert.match(stdout, /took the key c013 \(ES256\) into .*; it is signing/);
  assert.doesNotMatch(stderr, /thumbprint/);
  assert.equal((await verify(await signed(here))).protectedHeader.kid, 'c013');

  const wrong = await at.run(['issuer', 'import', '--key', pem, '--kid', 'c014', '--jwks', set]);
  assert.equal(wrong.status, 2);
  assertSentence(wrong);
  const secret = (await at.read('old.pem')).split('\n')[1] ?? '';
  assert.ok(secret.length > 40 && !at.heard.join('').includes(secret), 'the private key was printed');
});

test('a stolen token: which one is it, suspend its subject, end its key', async (t) => {
  const here = await place(t);
  const { at, issuer, url, www } = here;
  await issuer('init', '--issuer', url);
  await issuer('publish', www);
  const jti = String(decodeJwt(await signed(here)).jti);
  assert.match((await issuer('audit', '--jti', jti)).stdout, /it is about vofrontend-ce1, for ce1\.example\.org:9619/);
  const settings = 'state/issuers/default/issuer.yaml';
  await at.file(settings, (await at.read(settings)).replace(/suspend: \[\].*/, 'suspend: [vofrontend-ce1]'));
  const refused = await at.run(['issuer', 'sign', ...pilot]);
  assert.deepEqual([refused.status, refused.stdout], [5, '']);
  assert.match(refused.stderr, /the subject vofrontend-ce1 is suspended/);
  assert.match((await issuer('audit', '--jti', jti)).stdout, /it is suspended already/);
  const forged = await at.run(['issuer', 'audit', '--jti', 'never-signed']);
  assert.deepEqual([forged.status, /of another issuer, or forged/.test(forged.stdout)], [5, true]);
});

test('the audit log tells when its end was cut off, to whoever kept its head', async (t) => {
  const here = await place(t);
  const { at, issuer, url } = here;
  await issuer('init', '--issuer', url);
  await signed(here);
  const [, head = ''] = /^head (\S+)$/m.exec((await issuer('audit')).stdout) ?? [];
  await issuer('audit', '--head', head);
  const longer = head.replace(/:\d+:/, ':9:');
  const cut = await at.run(['issuer', 'audit', '--head', longer]);
  assert.equal(cut.status, 1, cut.stdout + cut.stderr);
  assert.match(cut.stderr, /tokeep: the audit log of .* is not whole/);
  assert.equal((await at.run(['issuer', 'audit', '--head', 'nonsense'])).status, 2);
});

test('a publish that is killed in the middle leaves whole files, and the next one finishes', async (t) => {
  const { at, issuer, url, www } = await place(t);
  await issuer('init', '--issuer', url);
  for (const stopAt of [1, 4]) {
    await rm(join(www, 'vo'), { recursive: true, force: true });
    await mkdir(join(www, 'vo/oauth2'), { recursive: true });
    await using running = at.start(['issuer', 'publish', www]);
    let changes = 0;
    const watcher = watch(www, { recursive: true }, () => {
      changes += 1;
      if (changes >= stopAt) running.child.kill('SIGKILL');
    });
    await running.ended;
    watcher.close();
    for (const path of (await filesBelow(www)).filter((name) => !/\.tokeep-|html$/.test(name)))
      assert.ok(JSON.parse(await readFile(join(www, path), 'utf8')), path);
    await issuer('publish', www);
    assert.ok((await filesBelow(www)).includes('vo/index.html'));
  }
});

test('nothing of an issuer needs a configuration, and one that is named may be written later', async (t) => {
  const { at, url } = await place(t);
  const named = await at.run(['issuer', 'list', '--config', at.path('nowhere.yaml')]);
  assert.equal(named.status, 3);
  assert.match(named.stderr, /there is no .*nowhere\.yaml yet, which --config names/);
  assert.match(named.stderr, /there is no issuer in/);
  const none = await at.run(['issuer', 'list']);
  assert.deepEqual([none.status, /there is no issuer in/.test(none.stderr)], [3, true], none.stderr);
  await at.file('c.yaml', `state: ${at.path('elsewhere')}\n`);
  assert.equal((await at.run(['issuer', 'init', '--issuer', url, '--config', at.path('c.yaml')])).status, 0);
  assert.ok((await stat(at.path('elsewhere/issuers/default/issuer.yaml'))).isFile());
});
