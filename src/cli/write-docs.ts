import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { generatedPages } from './generated-pages.ts';

// `npm run -s docs`: writes every page and schema that is made from the code.
const top = resolve(import.meta.dirname, '../..');
for (const { path, text } of await generatedPages()) {
  mkdirSync(resolve(top, path, '..'), { recursive: true });
  writeFileSync(resolve(top, path), text);
}
