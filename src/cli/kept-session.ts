import { constants } from 'node:os';
import type { Config } from '../config/config.ts';
import { runWithToken } from '../deliver/kept-file.ts';
import type { ExitCode } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { createLogger } from '../observe/log.ts';
import { printable } from '../observe/printable.ts';
import { Engine } from '../renew/engine.ts';
import { getToken } from '../renew/get.ts';
import type { WishName } from '../token/names.ts';
import type { Millis } from '../token/time.ts';
import type { AttachedEnd } from '../world/attached-process.ts';
import { runAttached } from '../world/real-attached-process.ts';
import { wishNames } from './arguments.ts';
import type { Context } from './context.ts';
import { nodeName } from './node-name.ts';

export interface SessionWish {
  readonly name: string | undefined;
  readonly argv: readonly string[];
  readonly minLifetime?: Millis;
}

/** `tokeep shell` and `tokeep exec`: the command's own exit status is ours. */
export async function keptSession(context: Context, wish: SessionWish): Promise<ExitCode> {
  const config = await context.config();
  const name = chosen(config, wish.name);
  const engine = await quietEngine(context, config);
  // A renewal that has begun is brought to its end: the answer may hold the successor of a refresh token.
  const never = new AbortController().signal;
  const signals = { waiting: never, request: never };
  const end = await runWithToken({
    world: context.world,
    run: runAttached,
    argv: wish.argv,
    freshToken: async (minLifetime) => await getToken(engine, name, { minLifetime, signals }),
    warn: async (sentence) => await context.warn(`tokeep: ${name}: ${printable(sentence)}`),
    ...(wish.minLifetime === undefined ? {} : { minLifetime: wish.minLifetime }),
  });
  if (end.kind === 'not-started') return await notStarted(context, wish.argv[0] ?? '', end.reason);
  return statusOf(end);
}

/** The terminal belongs to the command now: the engine's log is shown with --verbose only. */
async function quietEngine(context: Context, config: Config): Promise<Engine> {
  const { world, options } = context;
  const silent = createLogger({ format: 'plain', threshold: 'error', clock: world.clock, write: () => {} });
  const log = options.verbose ? context.log : silent;
  return await Engine.open({
    world,
    config,
    store: await context.store(),
    spool: await context.spool(),
    log,
    absent: 'keep',
    node: nodeName(world.env),
    ownIssuers: context.ownIssuers,
  });
}

function chosen(config: Config, name: string | undefined): WishName {
  const [only, ...others] = wishNames(config, name === undefined ? [] : [name]);
  if (only !== undefined && others.length === 0) return only;
  const problem = only === undefined ? 'keeps no token' : `keeps ${others.length + 1} tokens`;
  throw new Fault('usage', `which token? ${config.file} ${problem}`, { hint: 'name it; see: tokeep status' });
}

/** As shells say it: the status of the command, or 128 and the number of the signal that ended it. */
function statusOf(end: Exclude<AttachedEnd, { kind: 'not-started' }>): ExitCode {
  return (end.kind === 'exited' ? end.status : 128 + constants.signals[end.signal]) as ExitCode;
}

/** As env(1) does: 127 for a command that is not there, 126 for one that cannot be run. */
async function notStarted(context: Context, program: string, reason: string): Promise<ExitCode> {
  await context.warn(`tokeep: ${printable(program)} could not be started: ${reasons[reason] ?? reason}`);
  return (reason === 'ENOENT' ? 127 : 126) as ExitCode;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such command',
  EACCES: 'it is not executable, or we have no permission',
};
