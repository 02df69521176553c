import { dropMeta, type MetaOutcome, restoreMeta } from '../condor/restore-meta.ts';
import { type ExitCode, exit, worstExit } from '../fault/codes.ts';
import type { Context } from './context.ts';
import { readCredmonSettings } from './credmon-settings.ts';

export interface MetaFilesOptions {
  readonly dryRun?: true;
  readonly condorBin?: string;
}

/** `tokeep condor restore-meta`. */
export const restoreMetaFiles = (context: Context, options: MetaFilesOptions): Promise<ExitCode> =>
  goThrough(context, options, { deed: restoreMeta, none: 'there is no OAuth2 credential' });

/** `tokeep condor drop-meta`. */
export const dropMetaFiles = (context: Context, options: MetaFilesOptions): Promise<ExitCode> =>
  goThrough(context, options, { deed: dropMeta, none: 'there is no .meta file' });

async function goThrough(
  context: Context,
  options: MetaFilesOptions,
  { deed, none }: { readonly deed: typeof restoreMeta; readonly none: string },
): Promise<ExitCode> {
  const { world } = context;
  const { settings } = await readCredmonSettings(world, options, context.options);
  const dryRun = options.dryRun === true;
  const outcomes = await deed(world, settings, { dryRun });
  if (context.options.json) await context.printJson(outcomes.map(jsonOf));
  else for (const outcome of outcomes) await context.print(lineOf(outcome, dryRun));
  if (outcomes.length === 0) await context.say(`${none} in ${settings.directory}`);
  return worstExit(outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.fault.exit : exit.fine)));
}

function lineOf(outcome: MetaOutcome, dryRun: boolean): string {
  switch (outcome.kind) {
    case 'written':
    case 'removed':
      return `${outcome.path} ${dryRun ? 'would be' : 'is'} ${outcome.kind}`;
    case 'unchanged':
      return `${outcome.path} stays as it is`;
    case 'left':
      return `${outcome.path} ${outcome.why}`;
    case 'failed':
      return `${outcome.path} failed: ${outcome.fault.message}`;
  }
}

const jsonOf = (outcome: MetaOutcome) =>
  outcome.kind === 'failed'
    ? { path: outcome.path, outcome: outcome.kind, code: outcome.fault.code, message: outcome.fault.message }
    : { path: outcome.path, outcome: outcome.kind, ...(outcome.kind === 'left' ? { why: outcome.why } : {}) };
