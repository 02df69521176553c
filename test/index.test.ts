import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inspect } from 'node:util';
import rolldownConfig from '../rolldown.config.ts';
import { decodeJwt, discoverToken, explainToken, Fault } from '../src/index.ts';

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = `${part({ alg: 'ES256', kid: 'k' })}.${part({ iss: 'https://i.example/', exp: 1_800_000_000 })}.c2ln`;

test('a program finds the token of its environment, and gets it as a secret', async () => {
  const found = await discoverToken({ env: { BEARER_TOKEN: `${token}\n` } });
  assert.ok(found.kind === 'found' && found.token.reveal() === token);
  assert.equal(inspect(found).includes(token), false);
});

test('what is no token is a Fault that a program can tell apart', async () => {
  await assert.rejects(discoverToken({ env: { BEARER_TOKEN: 'two words' } }), (thrown) => {
    assert.ok(thrown instanceof Fault);
    assert.equal(thrown.code, 'discovery-invalid');
    return true;
  });
});

test('a token is explained as of now, or as of the time that is given', () => {
  const warnings = (now?: Date) => {
    const said = explainToken(token, now);
    return said.kind === 'jwt' ? said.warnings.join('\n') : said.kind;
  };
  assert.match(warnings(new Date(1_800_000_060_000)), /it expired 1 min ago/);
  assert.doesNotMatch(warnings(new Date(1_799_999_000_000)), /it expired/);
  assert.equal(decodeJwt(token).kind, 'jwt');
});

test('what the package exports is what the build makes', async () => {
  const { exports } = JSON.parse(await readFile('package.json', 'utf8'));
  const types = JSON.parse(await readFile('tsconfig.types.json', 'utf8'));
  const { input } = rolldownConfig as { input: Record<string, string> };
  const entries = { '.': 'index', './verify': 'verify/index', './issue': 'issue/index' };
  for (const [name, source] of Object.entries(entries)) {
    const built = name === '.' ? 'index' : name.slice(2);
    assert.equal(input[built], `src/${source}.ts`);
    const outDir = `./${types.compilerOptions.outDir}`;
    assert.deepEqual(exports[name], { types: `${outDir}/${source}.d.ts`, default: `./dist/${built}.js` });
  }
  assert.deepEqual(
    types.include,
    Object.values(entries).map((source) => `src/${source}.ts`),
  );
});
