import { knobsPage } from '../condor/knob-page.ts';
import { configJsonSchemaText } from '../config/json-schema.ts';
import { renderConfigReference } from '../config/reference.ts';
import { cliPage } from './cli-docs.ts';
import { errorsPage } from './errors-docs.ts';
import { buildProgram } from './program.ts';

export interface GeneratedPage {
  /** From the top of the checkout. */
  readonly path: string;
  readonly text: string;
}

/** Everything in the repository that is made from the code. */
export async function generatedPages(): Promise<readonly GeneratedPage[]> {
  const program = await buildProgram(() => async () => {}, { kind: 'all' });
  return [
    { path: 'docs/cli.md', text: cliPage(program) },
    { path: 'docs/errors.md', text: errorsPage() },
    { path: 'docs/credmon-knobs.md', text: knobsPage() },
    { path: 'docs/config.md', text: renderConfigReference() },
    { path: 'schema/tokeep.schema.json', text: configJsonSchemaText() },
  ];
}
