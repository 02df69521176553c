import { fileURLToPath } from 'node:url';
import { build, type RolldownOptions } from 'rolldown';
import config from '../rolldown.config.ts';
import { directoryOn } from './directory.ts';

/** The released form of the command (or of another program), made anew from the sources as they are, in a directory of its own; with programs that it starts itself, by name. */
export async function bundle(
  input = 'src/cli/main.ts',
  beside: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly program: string }> {
  const directory = await directoryOn('memory');
  const options = config as RolldownOptions;
  const output = { ...(options.output as object), dir: `${directory.path}/dist`, cleanDir: false };
  await build({
    ...options,
    input: { main: input, ...beside },
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    output,
    logLevel: 'silent',
  });
  return { program: `${directory.path}/dist/main.js`, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}
