import { hostname } from 'node:os';
import type { Logger } from '../observe/log.ts';
import { Engine } from '../renew/engine.ts';
import type { Context } from './context.ts';

/** The engine on the configuration and state of this command; everything it logs goes where the command's messages go. */
export async function openEngine(context: Context, log: Logger = context.log): Promise<Engine> {
  const config = await context.config();
  const [store, spool] = [await context.store(), await context.spool()];
  const engine = await Engine.open({ world: context.world, config, store, spool, log, node: hostname() });
  await context.configTaken();
  return engine;
}
