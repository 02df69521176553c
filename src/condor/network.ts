import { asFault, Fault } from '../fault/fault.ts';
import type { Logger } from '../observe/log.ts';
import { millis } from '../token/time.ts';
import { lookUpUser } from '../world/identities.ts';
import { type BegunNetwork, beginNetwork } from '../world/network.ts';
import type { World } from '../world/world.ts';
import type { CredmonSettings } from './settings.ts';

export interface NetworkDeps {
  /** Nothing of it touches the network. */
  readonly world: World;
  readonly settings: Pick<CredmonSettings, 'networkUser' | 'vault' | 'mytoken'>;
  readonly log: Logger;
  /** The program of the network process. */
  readonly program: string;
  /** CA files named elsewhere. */
  readonly caFiles: readonly string[];
}

/**
 * The process that does all network work of the credmon: as TOKEEP_CREDMON_NETWORK_USER where we are root, else as ourselves. Throws
 * `target-refused` when there is no such user; `ready` says whether the process starts.
 */
export async function beginNetworkOf({ world, settings, log, program, caFiles }: NetworkDeps): Promise<BegunNetwork> {
  const root = world.user.uid === 0;
  const user = root ? await networkUser(world, settings.networkUser) : undefined;
  const name = root ? settings.networkUser : String(world.user.uid);
  if (!root) log.event('network-same-user', { user: name });
  const named = [settings.vault.caFile, settings.mytoken.caFile, ...caFiles];
  return beginNetwork({
    program,
    env: world.env,
    readable: named.filter((file) => file !== undefined),
    ...(user === undefined ? {} : { user }),
    onStart: (pid) => log.event('network-started', { pid, user: name }),
    onEnd: ({ reason, pause }) => log.event('network-ended', { reason, pause: millis(pause) }),
  });
}

/** A user without a group of its own, which only a number can be, gets the group of that number. */
async function networkUser(world: World, name: string): Promise<{ readonly uid: number; readonly gid: number }> {
  try {
    const { uid, gid = uid } = await lookUpUser(world, name);
    return { uid, gid };
  } catch (cause) {
    const hint = 'set TOKEEP_CREDMON_NETWORK_USER to one that is there; best to one that nothing else runs as';
    throw new Fault('target-refused', `the network process is to be of ${name}: ${asFault(cause, 'looking').message}`, {
      hint,
      cause,
    });
  }
}
