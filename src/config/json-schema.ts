import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The JSON Schema of `tokeep.yaml`, for editors; `schema/tokeep.schema.json` holds it. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input' });
  return {
    $schema,
    title: 'tokeep.yaml',
    description: 'The configuration of tokeep, which keeps bearer tokens fresh.',
    ...schema,
  };
}

/** As it lies in the file. */
export const configJsonSchemaText = (): string => `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
