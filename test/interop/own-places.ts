import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** No configuration and no cache of whoever runs this is looked at, and what the first start of the command compiles serves all. */
export async function ownPlaces(directory: string): Promise<Readonly<Record<string, string>>> {
  const at = (name: string) => join(directory, name);
  await mkdir(at('cache'));
  await writeFile(at('config.yaml'), `state: ${at('state')}\n`);
  return { NODE_COMPILE_CACHE: at('compiled'), XDG_CACHE_HOME: at('cache'), TOKEEP_CONFIG: at('config.yaml') };
}
