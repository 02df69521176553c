import type { Logger } from '../observe/log.ts';
import { between, millis, minutes } from '../token/time.ts';
import type { World } from '../world/world.ts';

const lookEvery = millis(500);
const longest = minutes(1);

/**
 * Resolves when the credential directory is there, when that takes too long, or at a stop. On a fresh access point condor_master starts
 * the credmon beside whoever makes the directory; one that failed would be started again much later.
 */
export async function awaitDirectory(world: World, path: string, log: Logger, stop: AbortSignal): Promise<void> {
  const began = world.clock.monotonic();
  const isThere = () =>
    world.files.look(path).then(
      (facts) => facts !== undefined,
      // What is wrong is said by whoever checks it.
      () => true,
    );
  if (await isThere()) return;
  log.event('directory-awaited', { directory: path, length: longest });
  while (!stop.aborted && between(began, world.clock.monotonic()) < longest) {
    await world.clock.sleep(lookEvery, stop).catch(() => {});
    if (await isThere()) return;
  }
}
