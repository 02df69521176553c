import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startIssuer } from './issuer-here.ts';
import { ran } from './run-program.ts';
import { surroundings } from './surroundings.ts';

const told = surroundings();
const issuer = await startIssuer(told);
await issuer.publish();
after(() => issuer[Symbol.asyncDispose]());

const audience = 'https://storage.example:8443';
const scope = 'storage.read:/data storage.modify:/data/mine compute.read';
const ours = await issuer.sign({ audiences: [audience], scope });

/** A tool of libscitokens, trusting our CA, with a key cache of its own. */
const scitokens = (tool: string, ...args: readonly string[]) =>
  ran([`scitokens-${tool}`, ...args], { ...told.environment, XDG_CACHE_HOME: told.directory });

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
