import type { Knobs } from '../condor/knobs.ts';
import { createLogger, type Logger, logFormat } from '../observe/log.ts';
import type { Context } from './context.ts';
import { CredmonLog } from './credmon-log.ts';
import type { ReadSettings } from './credmon-settings.ts';

/** The options of the shipped credmon about its log. */
export interface CredmonTelling {
  readonly name?: string;
  readonly logFile?: string;
  readonly debug?: true;
  readonly toStderr?: true;
}

export interface OpenLog extends Disposable {
  readonly log: Logger;
}

const megabyte = 1024 * 1024;
/** HTCondor's MAX_DEFAULT_LOG. */
const usualLargest = 10 * megabyte;

/**
 * Where the credmon says what happens: the file of `-l` or of the log knob, else stderr; with `-v` stderr as well. Throws
 * `log-unwritable`; with `-v` stderr alone will do then.
 */
export async function openCredmonLog(
  context: Context,
  { knobs, settings }: ReadSettings,
  { name, logFile, debug, toStderr }: CredmonTelling,
): Promise<OpenLog> {
  const knob = name === undefined ? 'CREDMON_OAUTH' : name.toUpperCase();
  const path = logFile ?? (name === undefined ? settings.log : (knobs.get(`${knob}_LOG`) ?? settings.log));
  const file = path === undefined ? undefined : await openFile(context, path, largestOf(knobs, knob), toStderr);
  const logs = [
    ...(file === undefined ? [] : [loggerTo(context, debug, (line) => file.write(line))]),
    ...(file === undefined || toStderr === true ? [stderrLogger(context, debug)] : []),
  ];
  return {
    log: {
      event(name, fields) {
        for (const each of logs) each.event(name, fields);
      },
    },
    [Symbol.dispose]: () => file?.close(),
  };
}

async function openFile(context: Context, path: string, largest: number, toStderr: true | undefined) {
  try {
    return CredmonLog.open(path, largest);
  } catch (thrown) {
    if (toStderr !== true) throw thrown;
    await context.warn(`tokeep: ${(thrown as Error).message}`);
    return undefined;
  }
}

const loggerTo = ({ world }: Context, debug: true | undefined, write: (line: string) => void): Logger =>
  createLogger({ format: 'plain', threshold: debug === true ? 'debug' : 'info', clock: world.clock, write });

const stderrLogger = (context: Context, debug: true | undefined): Logger =>
  debug === true
    ? createLogger({
        format: logFormat(context.io.env, { json: context.options.json, terminal: context.io.stderr.isTTY }),
        threshold: 'debug',
        clock: context.world.clock,
        write: (line) => void context.io.stderr.write(line),
      })
    : context.log;

/** MAX_<SUBSYS>_LOG in bytes; a length of time, which HTCondor knows as well, is left to logrotate. */
function largestOf(knobs: Knobs, knob: string): number {
  const [, amount, unit] = /^(\d{1,12})\s*([kmg]?)b?$/i.exec(knobs.get(`MAX_${knob}_LOG`) ?? '') ?? [];
  if (amount === undefined) return usualLargest;
  const factor = { '': 1, k: 1024, m: megabyte, g: 1024 * megabyte }[(unit ?? '').toLowerCase()] ?? 1;
  // HTCondor: 0 is a log without an end.
  return Number(amount) === 0 ? Number.POSITIVE_INFINITY : Number(amount) * factor;
}
