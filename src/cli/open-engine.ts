import type { Logger } from '../observe/log.ts';
import { Engine, type EngineDeps } from '../renew/engine.ts';
import type { Context } from './context.ts';
import { nodeName } from './node-name.ts';

/** The engine on the configuration and state of this command; everything it logs goes where the command's messages go. */
export async function openEngine(
  context: Context,
  { absent, log = context.log }: Pick<EngineDeps, 'absent'> & { readonly log?: Logger },
): Promise<Engine> {
  const config = await context.config();
  const [store, spool] = [await context.store(), await context.spool()];
  const { world, ownIssuers } = context;
  const node = nodeName(world.env);
  const engine = await Engine.open({ world, config, store, spool, log, absent, node, ownIssuers });
  await context.configTaken();
  return engine;
}
