import { hostname } from 'node:os';
import { readKnobs } from '../condor/knobs.ts';
import { poolOf } from '../condor/pool.ts';
import { settingsOf } from '../condor/read-settings.ts';
import type { CredmonSettings } from '../condor/settings.ts';
import type { World } from '../world/world.ts';

/** HTCondor's configuration as the `condor_config_val` in this directory has it. Throws `condor-unreadable`. */
export async function readCondorSettings(world: World, condorBin: string | undefined): Promise<CredmonSettings> {
  const knobs = await readKnobs(world, condorBin);
  return settingsOf(knobs, await poolOf(world, knobs, hostname()));
}
