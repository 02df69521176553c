import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const notOurs = new Set(['node_modules', '.git', 'dist', 'coverage']);

/** Files of the checkout whose name ends so, relative to its root. */
export function filesEnding(ending: string, below = root): readonly string[] {
  return readdirSync(below, { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const path = join(below, entry.name);
    if (entry.isDirectory()) return filesEnding(ending, path);
    return entry.name.endsWith(ending) ? [relative(root, path)] : [];
  });
}

export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Every page of the checkout. */
export const pages = (): readonly string[] => filesEnding('.md').toSorted();

/** Without fenced blocks: what a reader of the page sees as prose, tables and links. */
export const proseOf = (markdown: string): string => markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');

/** The anchors that a page's headings make, as GitHub makes them. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(markdown).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const plain = heading.replaceAll(/[`*]/g, '').toLowerCase();
    const anchor = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n += 1) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}
