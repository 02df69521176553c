import { Fault } from '../fault/fault.ts';
import type { World } from '../world/world.ts';
import { becomeUser, findUser } from './service-user.ts';

/**
 * Root works on somebody else's state as that somebody, for good: what root wrote there its owner could not open any more
 * (`sudo tokeep status` beside a service of the user tokeep).
 */
export async function asStateOwner(world: World, stateDir: string): Promise<void> {
  if (world.user.uid !== 0) return;
  const facts = await world.files.look(stateDir);
  if (facts === undefined || facts.type !== 'directory' || facts.owner === 0) return;
  const owner = await findUser(world, String(facts.owner));
  if (owner === undefined) {
    throw new Fault(
      'state-unsafe',
      `the state ${stateDir} belongs to user ${facts.owner}, whom this machine does not know`,
      {
        hint: `give it to the user of the service: chown -R tokeep: ${stateDir}`,
      },
    );
  }
  becomeUser(owner);
}
