import { mayBeLeftover, sweepLeftovers } from '../deliver/leftovers.ts';
import { type Epoch, hours } from '../token/time.ts';
import type { Directory } from '../world/files.ts';
import type { World } from '../world/world.ts';
import { isRequestFileName } from './request-file.ts';

/** As the shipped credmon: by then nobody visits the link any more. */
const requestLife = hours(12);

/** Removes request files that nobody used, and what our own dead processes left half written. Never faults. */
export async function tidyDirectory(world: World, root: string, users: readonly string[], now: Epoch): Promise<void> {
  const owners = [world.user.uid];
  await inDirectory(world, root, async (directory) => {
    await sweepRequests(directory, now);
    await sweepLeftovers(directory, owners, now);
  });
  const littered: string[] = [];
  const nothing = { isWanted: () => false, limit: 0 };
  await world.trees.read(root, users, nothing, (user, found) => {
    if (found !== undefined && 'names' in found && found.names.some(mayBeLeftover)) littered.push(user);
  });
  for (const user of littered) {
    await inDirectory(world, `${root}/${user}`, (directory) => sweepLeftovers(directory, owners, now));
  }
}

async function sweepRequests(directory: Directory, now: Epoch): Promise<void> {
  for (const name of await directory.list()) {
    if (!isRequestFileName(name)) continue;
    const facts = await directory.look(name).catch(() => undefined);
    if (facts?.type !== 'file' || now - facts.changedAt <= requestLife) continue;
    await directory.remove(name).catch(() => {});
  }
}

/** What goes meanwhile needs no sweeping, and what cannot be opened is told by whoever reads it. */
async function inDirectory(world: World, path: string, work: (directory: Directory) => Promise<void>): Promise<void> {
  const directory = await world.files.openDirectory(path).catch(() => undefined);
  if (directory === undefined) return;
  try {
    await work(directory);
  } finally {
    await directory.close();
  }
}
