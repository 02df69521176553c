import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { asFault, Fault } from '../fault/fault.ts';
import { openSealedParts, type SealedParts } from '../mint/reseal-issuer.ts';
import { settingsFile } from '../mint/settings.ts';
import type { World } from '../world/world.ts';
import { notedIssuers, notedIssuersFile } from './noted-issuers.ts';

export interface SealedIssuersPlace {
  readonly config: Config;
  readonly stateDir: string;
  readonly keyFile: string;
}

/**
 * Every issuer that may have sealed something with this key: in the state, in accounts that sign themselves, and noted beside the key.
 * Throws the Fault of the first that cannot be opened, with what to do about it.
 */
export async function openSealedIssuers(
  world: World,
  place: SealedIssuersPlace,
  open: AsyncDisposableStack,
): Promise<readonly SealedParts[]> {
  const issuers: SealedParts[] = [];
  for (const [directory, hint] of await directoriesOf(world, place)) {
    issuers.push(open.use(await openOrSay(world, directory, hint)));
  }
  return issuers;
}

async function openOrSay(world: World, directory: string, hint: string): Promise<SealedParts> {
  try {
    return await openSealedParts(world, directory);
  } catch (thrown) {
    const { code, message } = asFault(thrown, `opening the issuer in ${directory}`);
    const what = `the issuer in ${directory} would lose its keys, since it cannot be opened: ${message}`;
    throw new Fault(code, what, { hint, cause: thrown });
  }
}

/** Each with what to do if it cannot be opened. */
async function directoriesOf(world: World, place: SealedIssuersPlace): Promise<ReadonlyMap<string, string>> {
  const { config, stateDir, keyFile } = place;
  const found = new Map<string, string>();
  for (const directory of await notedIssuers(world, keyFile)) {
    found.set(directory, `bring it back; if it is gone for good, take its line out of ${notedIssuersFile(keyFile)}`);
  }
  for (const account of config.accounts.values()) {
    if (account.grant !== 'signing_key') continue;
    found.set(resolve(account.keys), `bring it back, or take the account ${account.name} out of ${config.file}`);
  }
  for (const directory of await issuersIn(world, resolve(stateDir, 'issuers'))) {
    found.set(directory, 'make it whole with `tokeep issuer init --dir`, or move it away if it is not to be kept');
  }
  return found;
}

/** With settings, or with the database of an issuer whose making was broken off. */
async function issuersIn(world: World, path: string): Promise<readonly string[]> {
  if ((await world.files.facts(path)) === undefined) return [];
  const files = await world.files.openDirectory(path);
  try {
    const isThere = async (file: string) => (await world.files.look(file).catch(() => undefined)) !== undefined;
    const issuers: string[] = [];
    for (const name of await files.list()) {
      const directory = `${path}/${name}`;
      if ((await isThere(settingsFile(directory))) || (await isThere(`${directory}/issuer.db`)))
        issuers.push(directory);
    }
    return issuers;
  } finally {
    await files.close();
  }
}
