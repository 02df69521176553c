import assert from 'node:assert/strict';
import { test } from 'node:test';
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

for (const page of ['README.md', 'docs/setup.md', 'docs/tour.md', 'docs/migrate-from-osg-token-renewer.md']) {
  test(`what ${page} shows as configuration is accepted`, async () => {
    const sections = configurationsOf(page);
    assert.ok(sections.length > 0);
    const rows = JSON.stringify([{ name: 'ce1', host: 'ce1.example.org' }]);
    const config = await load('/c.yaml', together(sections), { '/home/alice/ces.yaml': rows });
    assert.deepEqual(sentences(config), []);
    assert.ok(config.wishes.size > 0);
  });
}
