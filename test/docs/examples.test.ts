import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { load, sentences } from '../config/in-memory.ts';
import { textOf } from './pages.ts';

type Sections = Record<string, Record<string, unknown>>;

/** Texts that stand in a page as configuration: fenced as yaml, or in a transcript from `accounts:` or `tokens:` on. */
function configurationsOf(page: string): readonly Sections[] {
  const text = textOf(page);
  const fenced = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  const shown = [...text.matchAll(/^(?:accounts|tokens):\n(?:(?: .*)?\n)+/gm)].map(([block]) => block);
  return [...fenced, ...shown].map((block) => parse(block) as unknown).filter(isSections);
}

const isSections = (value: unknown): value is Sections =>
  typeof value === 'object' && value !== null && ('accounts' in value || 'tokens' in value);

/** One configuration of everything that a page shows: pages show an account in one place and its tokens in another. */
function together(sections: readonly Sections[]): string {
  const merged: Sections = {};
  for (const one of sections) {
    for (const [name, entries] of Object.entries(one)) merged[name] = { ...merged[name], ...entries };
  }
  return JSON.stringify(merged);
}

const pages = [
  'README.md',
  'docs/setup.md',
  'docs/tour.md',
  'docs/migrate-from-osg-token-renewer.md',
  'docs/condor-more-ways.md',
  'docs/glideinwms.md',
];
for (const page of pages) {
  test(`what ${page} shows as configuration is accepted`, async () => {
    const sections = configurationsOf(page);
    assert.ok(sections.length > 0);
    const rows = JSON.stringify([{ name: 'ce1', host: 'ce1.example.org' }]);
    const lists = {
      '/home/alice/ces.yaml': rows,
      '/etc/tokeep/ces.yaml': rows,
      '/etc/tokeep/users.yaml': '- user: alice',
    };
    const secret = { '/etc/tokeep/secrets/data-robot': 'secret' };
    const config = await load('/c.yaml', together(sections), { ...lists, ...secret });
    assert.deepEqual(sentences(config), []);
    assert.ok(config.wishes.size > 0);
  });
}

test('the program that README.md shows runs, and explains the token of its environment', async () => {
  const [, example = ''] = /^```js\n([\s\S]*?)^```/m.exec(textOf('README.md')) ?? [];
  assert.match(example, /from 'tokeep'/);
  const library = pathToFileURL(resolve(import.meta.dirname, '../../src/index.ts')).href;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'ES256' })}.${part({ iss: 'https://i.example/', exp: 1_800_000_000 })}.c2ln`;
  const program = example.replace("'tokeep'", `'${library}'`);
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    env: { BEARER_TOKEN: token },
  });
  assert.match(stdout, /https:\/\/i\.example\//);
});
