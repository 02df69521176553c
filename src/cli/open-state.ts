import type { Config } from '../config/config.ts';
import type { Spool } from '../store/spool.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world/world.ts';

export interface State {
  readonly store: Store;
  readonly spool: Spool;
}

/** Prepares the state directory, finds the sealing key, and opens store and spool. */
export async function openState(world: World, directory: string, config: Config): Promise<State> {
  throw new Error('wired below');
}
