import { nameOfUser } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import type { Knobs } from './knobs.ts';
import type { PoolFacts } from './settings-web.ts';

/**
 * Whose pool it is: the owner of the credential directory, which condor_master makes as root where it is root. So the web login, which is
 * never root, comes to the same answer as the credmon. Where there is no directory yet, who we are ourselves decides.
 */
export async function poolOf(world: World, knobs: Knobs, hostname: string): Promise<PoolFacts> {
  const directory = knobs.get('SEC_CREDENTIAL_DIRECTORY_OAUTH') ?? knobs.get('SEC_CREDENTIAL_DIRECTORY');
  const facts = directory?.startsWith('/') ? await world.files.facts(directory) : undefined;
  const owner = facts?.owner ?? world.user.uid;
  return { hostname, isRoot: owner === 0, user: await nameOfUser(world, owner) };
}
