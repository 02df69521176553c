import type { AccessToken } from '../token/secret.ts';
import type { World } from '../world/world.ts';
import { removeTokenFile } from './delivered-file.ts';
import { privateName } from './leftovers.ts';
import { type TokenFile, writeTokenFile } from './token-file.ts';

/**
 * A file of ours alone (0600) with a name nobody can guess, in the runtime directory of the service or the user if there is
 * one, else in `/tmp`. The name has 128 random bits and the file is made exclusively, so that it needs no directory of its own.
 * What a killed process leaves of it is swept a day later.
 */
export async function privateFile(world: World): Promise<TokenFile> {
  const directory = await privatePlace(world);
  const path = `${directory}/${privateName(world.random.id())}`;
  return { path, mode: 0o600, existing: 'set', inPlace: false };
}

/** Writes the token to a private file for as long as `work` runs. */
export async function inPrivateFile<T>(
  world: World,
  token: AccessToken,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const file = await privateFile(world);
  await writeTokenFile(world, file, token);
  try {
    return await work(file.path);
  } finally {
    await removeTokenFile(world, file);
  }
}

async function privatePlace(world: World): Promise<string> {
  // systemd may name several, separated by colons.
  const ofService = world.env['RUNTIME_DIRECTORY']?.split(':')[0];
  for (const candidate of [ofService, world.env['XDG_RUNTIME_DIR']]) {
    if (!candidate?.startsWith('/')) continue;
    const facts = await world.files.look(candidate);
    if (facts?.type === 'directory' && facts.owner === world.user.uid) return candidate;
  }
  return '/tmp';
}
