import { z } from 'zod';
import { Findings, formatFinding } from '../config/finding.ts';
import { duration, section, text } from '../config/schema-values.ts';
import { checkPart } from '../config/yaml-issues.ts';
import { YamlSource } from '../config/yaml-source.ts';
import { Fault } from '../fault/fault.ts';
import type { JsonValue } from '../mint/policy.ts';
import type { World } from '../world/world.ts';

const largest = 256 * 1024;

/** A text with blanks between its words, or a list. */
const words = z
  .union([text, z.array(text)])
  .transform((value) => (typeof value === 'string' ? value.split(/\s+/).filter((word) => word !== '') : value));

const schema = section({
  subject: text.optional(),
  audience: words.optional(),
  everyone: z.boolean().optional(),
  scope: words.optional(),
  groups: words.optional(),
  lifetime: duration.optional(),
  claims: z.record(z.string(), z.json()).optional(),
});

/** What a token is to be like, written down once; options of the command line are stronger. */
export type SignTemplate = Omit<z.output<typeof schema>, 'claims'> & {
  readonly claims?: Readonly<Record<string, JsonValue>> | undefined;
};

/** Throws `usage` if it cannot be read, `config-invalid` with line and column for what it says wrong. */
export async function readSignTemplate(world: World, file: string): Promise<SignTemplate> {
  const found = await world.files.readText(file, largest).catch((thrown: NodeJS.ErrnoException) => {
    throw new Fault('usage', `the template ${file} could not be read (${thrown.code ?? 'unknown'})`);
  });
  if (found === undefined) throw new Fault('usage', `there is no template ${file}`);
  const findings = new Findings();
  const source = YamlSource.parse(file, found, findings);
  const template = source === undefined ? undefined : checkPart(schema, source, [], source.data ?? {}, findings);
  const errors = findings.list().filter(({ severity }) => severity === 'error');
  if (template !== undefined && errors.length === 0) return template;
  throw new Fault('config-invalid', errors.map(formatFinding).join('; ') || `${file} does not read`);
}
