import { Fault } from '../fault/fault.ts';
import { prepareStateDir } from '../store/state-dir.ts';
import type { World } from '../world/world.ts';

const place = { what: "the issuer's directory", option: '--dir' };
/** What an issuer whose making was broken off may have left. */
const ours = /^(issuer\.(yaml|db)|keys$|\.)/;

/** As {@link prepareStateDir}, called by its own name. Throws Fault `state-unsafe`. */
export const prepareIssuerDir = (world: World, directory: string): Promise<void> =>
  prepareStateDir(world, directory, place);

/**
 * For a new issuer. Throws Fault `usage` for a directory that holds something else, such as what a web server shows: to close it to
 * everybody but us would be the wrong advice then.
 */
export async function prepareNewIssuerDir(world: World, directory: string): Promise<void> {
  const names = await namesIn(world, directory);
  const strange = names.find((name) => !ours.test(name));
  if (strange === undefined || names.some((name) => /^issuer\./.test(name)))
    return await prepareIssuerDir(world, directory);
  throw new Fault('usage', `${directory} holds ${strange}, and an issuer wants a directory for itself alone`, {
    hint: 'name one that is empty or not there yet with --dir DIR; what a web server shows is for `tokeep issuer publish`',
  });
}

/** None where it is not there or not to be listed: what is wrong with it is told by whoever prepares it. */
async function namesIn(world: World, directory: string): Promise<readonly string[]> {
  try {
    const files = await world.files.openDirectory(directory);
    try {
      return await files.list();
    } finally {
      await files.close();
    }
  } catch {
    return [];
  }
}
