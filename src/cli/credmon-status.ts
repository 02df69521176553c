import { lookAtCredentials } from '../condor/credmon-look.ts';
import type { ExitCode } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { narrowed, type StatusReport, statusReport } from '../observe/status.ts';
import { wishNames } from './arguments.ts';
import type { Context } from './context.ts';
import { configNamer, credmonBase, readCredmonSettings } from './credmon-settings.ts';
import { gatherRecords } from './gather-records.ts';
import { openState } from './open-state.ts';
import { answerStatus, type StatusOptions } from './status-answer.ts';

export interface CredmonStatusOptions extends StatusOptions {
  readonly condorBin?: string;
}

/** `tokeep credmon status`: what the directory holds and what the records say of it; changes nothing. */
export async function credmonStatus(
  context: Context,
  names: readonly string[],
  options: CredmonStatusOptions,
): Promise<ExitCode> {
  return await answerStatus(context, options, () => gather(context, names, options));
}

async function gather(
  context: Context,
  names: readonly string[],
  places: Pick<CredmonStatusOptions, 'condorBin'>,
): Promise<StatusReport> {
  const { world, log } = context;
  const { settings } = await readCredmonSettings(world, places, context.options);
  if ((await world.files.look(settings.state).catch(() => undefined)) === undefined) {
    throw new Fault('config-missing', `no credmon of tokeep has worked here yet: ${settings.state} is not there`, {
      hint: 'is CREDMON_OAUTH tokeep-credmon? Its state belongs to root where the pool does: try it with sudo',
    });
  }
  const base = await credmonBase(world, settings, configNamer(context.options));
  const config = await lookAtCredentials({ world, settings, base, ...places });
  const { store } = await openState(world, settings.state, base, log);
  try {
    const report = statusReport(await gatherRecords(store), config, world.clock.now());
    return names.length === 0 ? report : narrowed(report, wishNames(config, names));
  } finally {
    await store.close();
  }
}
