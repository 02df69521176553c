import type { Logger } from '../observe/log.ts';
import { Engine } from '../renew/engine.ts';
import type { Context } from './context.ts';
import { nodeName } from './node-name.ts';

/** The engine on the configuration and state of this command; everything it logs goes where the command's messages go. */
export async function openEngine(context: Context, log: Logger = context.log): Promise<Engine> {
  const config = await context.config();
  const [store, spool] = [await context.store(), await context.spool()];
  const { world } = context;
  const engine = await Engine.open({ world, config, store, spool, log, node: nodeName(world.env) });
  await context.configTaken();
  return engine;
}
