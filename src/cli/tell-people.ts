import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { conditionsOf } from '../observe/conditions.ts';
import type { Logger } from '../observe/log.ts';
import { createNotifier, type Notifier } from '../observe/notifier.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world/world.ts';
import { gatherRecords } from './gather-records.ts';

export const notifierFor = (world: World, { notify }: Config, log: Logger): Notifier =>
  createNotifier({ world, rules: notify, host: hostname(), log });

/** Derives what is wrong, tells whom the configuration names of what changed, and remembers what was said. */
export async function tellPeople(world: World, config: Config, store: Store, notifier: Notifier): Promise<void> {
  if (config.notify.length === 0) return;
  const conditions = conditionsOf(await gatherRecords(store), config, world.clock.now());
  const said = await notifier.tell(conditions, await store.notices());
  if (said.length > 0) await store.saveNotices(said);
}
