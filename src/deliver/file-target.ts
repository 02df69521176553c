import type { FileTarget } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import { lookUpGroup, lookUpUser } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { checkTokenFile, removeTokenFile } from './delivered-file.ts';
import type { Deliverer } from './deliverer.ts';
import type { TokenDeed } from './present-file.ts';
import { type TokenFile, writeTokenFile } from './token-file.ts';

/** A token in a file of its own: `file:` in the configuration, `token_path` in OSG's ini. */
export const fileDeliverer: Deliverer<FileTarget> = {
  kind: 'file',
  async deliver(target, token, world) {
    await writeTokenFile(world, await tokenFileOf('written', target, world), token);
  },
  async check(target, delivered, world) {
    return await checkTokenFile(world, target.path, delivered);
  },
  async withdraw(target, world) {
    await removeTokenFile(world, await tokenFileOf('removed', target, world));
  },
};

async function tokenFileOf(deed: TokenDeed, target: FileTarget, world: World): Promise<TokenFile> {
  if ((target.mode & 0o007) !== 0) {
    throw new Fault('target-refused', `token not ${deed}: mode ${target.mode.toString(8)} would let everybody use it`);
  }
  const { path, mode, existing, inPlace } = target;
  return { path, mode, existing, inPlace, ...(await ownership(target, world)) };
}

/** The owner's own group goes with a foreign owner, as with `chown owner:`; a file that stays ours gets the group of its place. */
async function ownership(target: FileTarget, world: World): Promise<Pick<TokenFile, 'owner' | 'group'>> {
  const user = target.owner === undefined ? undefined : await lookUpUser(world, target.owner);
  const owner = user === undefined ? {} : { owner: user.uid };
  if (target.group !== undefined) return { ...owner, group: await lookUpGroup(world, target.group) };
  const foreign = user !== undefined && user.uid !== world.user.uid && user.gid !== undefined;
  return foreign ? { ...owner, group: user.gid } : owner;
}
