import type { CommandModule } from '../command.ts';
import { register as dropMeta } from './condor/drop-meta.ts';
import { register as restoreMeta } from './condor/restore-meta.ts';
import { register as store } from './condor/store.ts';

/** One file of condor/ for each verb. */
const parts: readonly CommandModule['register'][] = [store, restoreMeta, dropMeta];

export const register: CommandModule['register'] = (parent, run) => {
  const condor = parent
    .command('condor')
    .description("Work with HTCondor's credentials: store them, hand them over, go back to the shipped credmon.");
  for (const part of parts) part(condor, run);
};
