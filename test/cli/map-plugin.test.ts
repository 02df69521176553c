import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { CliIo } from '../../src/cli/io.ts';
import { tokeep } from '../../src/cli/tokeep.ts';

const dir = mkdtempSync(join(tmpdir(), 'tokeep-plugin-'));
after(() => rmSync(dir, { recursive: true }));
const rules = join(dir, 'rules.json');
writeFileSync(
  rules,
  JSON.stringify({
    rules: [
      { issuer: 'https://vo.example', subject: 'mallory', deny: true },
      { issuer: 'https://vo.example', group: '/vo/pilot', user: 'vopilot' },
    ],
  }),
);

/** The plugin as HTCondor runs it: claims on standard input, the user as the first word on stdout. */
async function plugin(stdin: string | Buffer, file = rules) {
  const said = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr') => ({
    write: async (text: string) => {
      said[name] += text;
    },
    transient: () => {},
    isTTY: false,
    columns: 80,
  });
  const io: CliIo = {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdinGiven: true,
    stdout: output('stdout'),
    stderr: output('stderr'),
    env: {},
  };
  return { status: await tokeep(['map', '--plugin', '--rules', file], io), ...said };
}
const claims = (more: object) => JSON.stringify({ iss: 'https://vo.example', sub: 'pilot-7', ...more });

test('who has the group becomes the user, and the line says nothing else', async () => {
  const answer = await plugin(claims({ 'wlcg.groups': ['/vo', '/vo/pilot'] }));
  assert.deepEqual([answer.status, answer.stdout], [0, 'vopilot\n']);
});

test('whom no rule fits is left to the next plugin: exit 1', async () => {
  const answer = await plugin(claims({}));
  assert.deepEqual([answer.status, answer.stdout], [1, '']);
  assert.match(answer.stderr, /no rule of .*rules\.json fits subject pilot-7/);
});

test('whom a rule denies no other plugin is asked about: not exit 1', async () => {
  const answer = await plugin(claims({ sub: 'mallory', 'wlcg.groups': ['/vo/pilot'] }));
  assert.deepEqual([answer.status, answer.stdout], [6, '']);
});

test('rules that cannot be read refuse everybody, since one of them may deny', async () => {
  for (const [name, text] of [
    ['broken.json', '{'],
    ['broken.yaml', 'rules: [{ user: x }]'],
  ] as const) {
    writeFileSync(join(dir, name), text);
    const answer = await plugin(claims({}), join(dir, name));
    assert.deepEqual([answer.status, answer.stdout], [3, '']);
  }
  assert.equal((await plugin(claims({}), join(dir, 'nowhere.json'))).status, 2);
});

test('odd input is refused with a sentence, whatever it is', async () => {
  const odd = fc.oneof(
    fc.string(),
    fc.json(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc
      .dictionary(fc.constantFrom('iss', 'sub', 'scope', 'aud', 'wlcg.groups'), fc.jsonValue())
      .map((one) => JSON.stringify(one)),
  );
  await fc.assert(
    fc.asyncProperty(odd, async (input) => {
      const { status, stdout, stderr } = await plugin(input);
      assert.ok(status === 6 || status === 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^tokeep: /);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }),
  );
  assert.equal((await plugin(`"${'x'.repeat(70_000)}"`)).status, 6);
});

test('the program that HTCondor starts answers the same, and refuses to be called otherwise', () => {
  const entry = new URL('../../src/cli/tokeep-map-plugin.ts', import.meta.url).pathname;
  const start = (args: readonly string[], input: string) =>
    spawnSync(process.execPath, [entry, ...args], { input, encoding: 'utf8' });
  const mapped = start([rules], claims({ 'wlcg.groups': ['/vo/pilot'] }));
  assert.deepEqual([mapped.status, mapped.stdout], [0, 'vopilot\n']);
  assert.equal(start([rules], claims({})).status, 1);
  assert.equal(start([rules], claims({ sub: 'mallory' })).status, 6);
  assert.equal(start([rules], '').status, 6);
  assert.equal(start([join(dir, 'nowhere')], '').status, 2);
  for (const wrong of [[], ['--help'], [rules, rules]]) assert.equal(start(wrong, '').status, 2);
});
