import type { Config } from '../config/config.ts';
import { findConfig, loadConfig } from '../config/load.ts';
import type { World } from '../world/world.ts';
import { type ConfigTrace, traced } from './config-trace.ts';

export interface ReadConfig {
  readonly config: Config;
  readonly trace: ConfigTrace;
}

/** Finds and reads the configuration, and keeps in mind what was looked at. Throws `config-missing`. */
export async function readConfig(world: World, asked: string | undefined): Promise<ReadConfig> {
  const watched = traced(world);
  const place = await findConfig(watched.world, asked === undefined ? {} : { config: asked });
  const config = await loadConfig(watched.world, place.path);
  return { config, trace: watched.trace() };
}
