import type { DiscoveryTarget } from '../config/config.ts';
import { fallbackPlace, isPurpose, placeOfUser } from '../discover/places.ts';
import { Fault } from '../fault/fault.ts';
import { lookUpUser, type UserIdentity } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { checkTokenFile, removeTokenFile } from './delivered-file.ts';
import type { Deliverer } from './deliverer.ts';
import type { TokenDeed } from './present-file.ts';
import { type TokenFile, writeTokenFile } from './token-file.ts';

/**
 * A token where a user's programs look for it without being told (WLCG bearer token discovery). The place is chosen at each
 * delivery: a runtime directory comes and goes with the user's sessions.
 */
export const discoveryDeliverer: Deliverer<DiscoveryTarget> = {
  kind: 'discovery',
  async deliver(target, token, world) {
    const user = await userOf('written', target, world);
    await writeTokenFile(world, fileOf(await placeOfUser(world, user.uid, target.purpose), user, world), token);
  },
  async check(target, delivered, world) {
    const user = await userOf('written', target, world);
    return await checkTokenFile(world, await placeOfUser(world, user.uid, target.purpose), delivered);
  },
  async withdraw(target, world) {
    const user = await userOf('removed', target, world);
    const places = new Set([
      await placeOfUser(world, user.uid, target.purpose),
      fallbackPlace(user.uid, target.purpose),
    ]);
    for (const place of places) await removeTokenFile(world, fileOf(place, user, world));
  },
};

async function userOf(deed: TokenDeed, target: DiscoveryTarget, world: World): Promise<UserIdentity> {
  if (target.purpose !== undefined && !isPurpose(target.purpose)) {
    throw new Fault(
      'target-refused',
      `token not ${deed}: the purpose ${JSON.stringify(target.purpose)} is no file name`,
    );
  }
  return await lookUpUser(world, target.user);
}

/** Always 0600 and the user's own: other clients refuse anything wider. */
function fileOf(path: string, user: UserIdentity, world: World): TokenFile {
  const group = user.uid === world.user.uid || user.gid === undefined ? {} : { group: user.gid };
  return { path, owner: user.uid, ...group, mode: 0o600, existing: 'set', inPlace: false };
}
