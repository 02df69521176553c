import type { Config, ConfigFinding } from '../config/config.ts';
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
  const absent = await absentCredmon(world, settings.directory);
  kept.alsoSay(() => [...absent, ...rules.findings, ...directory.findings.map((each) => rules.finding(each))]);
  return kept.config;
}

/** Good tokens last for a while without a credmon; that nobody renews them, and that submits fail, is to be known before. */
async function absentCredmon({ files }: World, directory: string): Promise<readonly ConfigFinding[]> {
  const path = `${directory}/pid`;
  const isPlain = (await files.look(path))?.type === 'file';
  const pid = isPlain ? /^\d+/.exec((await files.readText(path, 64)) ?? '')?.[0] : undefined;
  if (pid !== undefined && (await files.look(`/proc/${pid}`)) !== undefined) return [];
  return [
    {
      severity: 'error',
      code: 'credmon-absent',
      at: { file: path, line: 1, column: 1 },
      section: 'credmon',
      message:
        pid === undefined
          ? `no credmon runs: there is no ${path}`
          : `no credmon runs: the process ${pid} of ${path} is gone`,
      hint: 'condor_on -daemon CREDMON_OAUTH; why it ended stands in its log: condor_config_val CREDMON_OAUTH_LOG',
    },
  ];
}
