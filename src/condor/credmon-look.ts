import type { Config } from '../config/config.ts';
import type { World } from '../world/world.ts';
import { openCredentialDirectory } from './directory.ts';
import { KeptCredentials } from './kept-credentials.ts';
import { Rules } from './rules.ts';
import type { CredmonSettings } from './settings.ts';

export interface LookDeps {
  readonly world: World;
  readonly settings: CredmonSettings;
  readonly base: Config;
  readonly condorBin?: string;
}

/** What the credmon keeps, as the directory says now: for whoever wants to see it beside the credmon that runs. Changes nothing. */
export async function lookAtCredentials({ world, settings, base, condorBin }: LookDeps): Promise<Config> {
  const directory = openCredentialDirectory(world, settings.directory, settings);
  await directory.check();
  const rules = await Rules.forLook({ world, ...(condorBin === undefined ? {} : { condorBin }) }, settings);
  const kept = new KeptCredentials(base, settings.directory);
  const found = Map.groupBy(await directory.scan(), ({ credential }) => credential.user);
  for (const [user, theirs] of found) kept.take(user, await rules.understand(theirs));
  kept.alsoSay(() => [...rules.findings, ...directory.findings.map((each) => rules.finding(each))]);
  return kept.config;
}
