// Writes docs/conformance.md. What XRootD answers is on record in conformance-cases.ts; the tests here hold it true.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { conformancePage, conformancePath } from './conformance-page.ts';

writeFileSync(resolve(import.meta.dirname, '../..', conformancePath), await conformancePage());
