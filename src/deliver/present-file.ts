import { Fault } from '../fault/fault.ts';
import type { FileFacts } from '../world/files.ts';

const kinds: Readonly<Record<Exclude<FileFacts['type'], 'file'>, string>> = {
  link: 'a symbolic link',
  fifo: 'a FIFO',
  socket: 'a socket',
  device: 'a device',
  directory: 'a directory',
};

/** What is refused, as the verb of "token not written". */
export type TokenDeed = 'written' | 'removed';

/**
 * Refuses to write or remove a token where something lies that is not a plain file of ours or of its owner: nothing is followed, opened
 * or replaced that somebody else may have prepared (scenario 39).
 */
export function refuseStrange(deed: TokenDeed, path: string, present: FileFacts, owners: readonly number[]): void {
  if (present.type !== 'file') {
    throw new Fault('target-refused', `token not ${deed}: ${path} is ${kinds[present.type]}, not a plain file`, {
      hint: `look at it (ls -ld ${path}), and remove it if nobody needs it`,
    });
  }
  if (present.links > 1) {
    throw new Fault('target-refused', `token not ${deed}: ${path} has ${present.links} hard links`, {
      hint: `find out who made the other name, then remove this one: rm ${path}`,
    });
  }
  if (!owners.includes(present.owner)) {
    throw new Fault(
      'target-refused',
      `token not ${deed}: ${path} belongs to user ${present.owner}, not to ${owners.join(' or ')}`,
      { hint: `remove it, or name its owner in the target (owner:)` },
    );
  }
}
