// Writes what is made from the configuration's schema: node schema/generate.ts
import { writeFile } from 'node:fs/promises';
import { configJsonSchemaText } from '../src/config/json-schema.ts';
import { renderConfigReference } from '../src/config/reference.ts';

const at = (path: string) => new URL(`../${path}`, import.meta.url);
await writeFile(at('schema/tokeep.schema.json'), configJsonSchemaText());
await writeFile(at('docs/config.md'), renderConfigReference());
