import type { ExitCode } from '../fault/codes.ts';
import { asFault } from '../fault/fault.ts';
import { narrowed, type StatusReport, statusExit, statusReport } from '../observe/status.ts';
import { statusJson } from '../observe/status-json.ts';
import { statusNagios, unknownNagios } from '../observe/status-nagios.ts';
import { statusTable } from '../observe/status-table.ts';
import { wishNames } from './arguments.ts';
import type { Context } from './context.ts';
import { gatherRecords } from './gather-records.ts';

export interface StatusOptions {
  readonly nagios?: true;
  readonly all?: true;
}

/** `tokeep status`: reads the records, changes nothing. */
export async function status(context: Context, names: readonly string[], options: StatusOptions): Promise<ExitCode> {
  return await answerStatus(context, options, () => gather(context, names));
}

/** The report of whichever program keeps tokens, in the form that was asked for. */
export async function answerStatus(
  context: Context,
  options: StatusOptions,
  gather: () => Promise<StatusReport>,
): Promise<ExitCode> {
  if (options.nagios === true) return await pluginAnswer(context, gather);
  const report = await gather();
  const { stdout } = context.io;
  const text = context.options.json
    ? statusJson(report)
    : statusTable(report, { paint: context.paint, columns: stdout.columns, all: options.all === true });
  await stdout.write(text);
  return statusExit(report);
}

/** Plug-ins answer with 0 to 3, whatever happens, and on stdout. */
async function pluginAnswer(context: Context, gather: () => Promise<StatusReport>): Promise<ExitCode> {
  const answer = await gather().then(statusNagios, (thrown: unknown) =>
    unknownNagios(asFault(thrown, 'the state could not be read').message),
  );
  await context.io.stdout.write(answer.line);
  return answer.status;
}

async function gather(context: Context, names: readonly string[]): Promise<StatusReport> {
  const config = await context.config();
  const store = await context.store();
  const report = statusReport(await gatherRecords(store), config, context.world.clock.now());
  return names.length === 0 ? report : narrowed(report, wishNames(config, names));
}
