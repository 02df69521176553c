import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startIssuer } from './issuer-here.ts';
import { outputOf, ran } from './run-program.ts';
import { surroundings } from './surroundings.ts';
import { tokeepOn } from './tokeep.ts';

const told = surroundings();
const issuer = await startIssuer(told);
after(() => issuer[Symbol.asyncDispose]());

/** A key as people had one before, with a short kid as the scitokens tools make them. */
const kid = 'c013';
const [keyFile, publicFile] = [join(told.directory, `${kid}.pem`), join(told.directory, `${kid}.pub`)];
await outputOf(['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', keyFile]);
await outputOf(['openssl', 'pkey', '-in', keyFile, '-pubout', '-out', publicFile]);
await issuer.importKey(keyFile, kid);
await issuer.publish();

const audience = 'https://storage.example:8443';
const scope = 'storage.read:/data storage.modify:/data/mine compute.read';
const ours = await issuer.sign({ audiences: [audience], scope });

/** A tool of libscitokens, trusting our CA. */
const scitokens = (tool: string, ...args: readonly string[]) => ran([`scitokens-${tool}`, ...args], told.environment);

test('scitokens-verify accepts a token of ours', async () => {
  const { status, stdout } = await scitokens('verify', ours);
  assert.match(stdout, /^Token deserialization successful\.$/m);
  assert.equal(status, 0);
});

test('scitokens-verify refuses a token of ours somebody changed', async () => {
  const [header, claims = '', signature] = ours.split('.');
  const wider = Buffer.from(claims, 'base64url').toString().replace('/data/mine', '/');
  const changed = [header, Buffer.from(wider).toString('base64url'), signature].join('.');
  const { status, stdout } = await scitokens('verify', changed);
  assert.match(stdout, /invalid signature/i);
  assert.equal(status, 1);
});

test('scitokens-list-access reads from a token of ours what was wished for', async () => {
  const { status, stdout } = await scitokens('list-access', ours, issuer.url, audience);
  const rights = [...stdout.matchAll(/^ACL: (.+)$/gm)].map(([, right]) => right);
  assert.deepEqual(rights.toSorted(), ['condor:/READ', 'modify:/data/mine', 'read:/data', 'write:/data/mine']);
  assert.equal(status, 0);
});

/** A token of the scitokens tools; they know nothing of issuers, and sign whatever they are given. */
async function theirs(profile: string, scopes: string): Promise<string> {
  const keys = ['--cred', publicFile, '--key', keyFile, '--keyid', kid, '--issuer', issuer.url];
  const claims = [`aud=${audience}`, 'sub=robot', `scope=${scopes}`].flatMap((claim) => ['--claim', claim]);
  const { status, stdout, stderr } = await scitokens('create', ...keys, ...claims, '--profile', profile);
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

const trust = ['--issuer', issuer.url, '--ca-file', told.caFile];

for (const [option, profile, scopes] of [
  ['wlcg', 'wlcg', 'storage.read:/data'],
  ['scitokens2', 'scitokens2', 'read:/data'],
  ['scitokens1', 'scitokens1', 'read:/data'],
  ['atjwt', 'at+jwt', 'read:/data'],
] as const) {
  test(`tokeep verify accepts a token of scitokens-create --profile ${option}`, async () => {
    const token = await theirs(option, scopes);
    const good = await tokeepOn(token, 'verify', ...trust, '--audience', audience);
    assert.match(
      good.stdout,
      new RegExp(`^the token is good: signed by ${issuer.url} \\(key ${kid}, ES256\\)`),
      good.stderr,
    );
    assert.ok(good.stdout.includes(`, profile ${profile}, `), good.stdout);
    assert.equal(good.status, 0);
  });
}

test('tokeep verify refuses a token of scitokens-create that is for another service', async () => {
  const token = await theirs('wlcg', 'storage.read:/data');
  const { status, stderr } = await tokeepOn(token, 'verify', ...trust, '--audience', 'https://other.example');
  assert.equal(status, 6);
  assert.match(stderr, /audience|is for/);
});
