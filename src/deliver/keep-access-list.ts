import { seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';

/**
 * Gives the temporary file the POSIX ACL of the file it will replace. Node cannot read an ACL, and `cp` of coreutils can, so it
 * copies mode and ACL (not the content) while the file is still empty. Without group bits the mask of an ACL is empty and it
 * grants nothing: then nothing is run. Where there is no such `cp` the mode alone is kept.
 */
export async function keepAccessList(
  world: World,
  directory: string,
  from: string,
  to: string,
  mode: number,
): Promise<void> {
  if ((mode & 0o070) === 0) return;
  await world.processes.run({
    file: '/bin/cp',
    args: [
      '--attributes-only',
      '--preserve=mode',
      '--no-dereference',
      '--',
      `${directory}/${from}`,
      `${directory}/${to}`,
    ],
    env: { LC_ALL: 'C' },
    timeout: seconds(10),
    maxOutput: 4096,
  });
}
