import { setTimeout as wait } from 'node:timers/promises';
import { type ExitCode, exit } from '../../fault/codes.ts';
import type { Context } from '../context.ts';
import { Interruption, interruption } from './interruption.ts';
import { IssuerStage } from './issuer-stage.ts';
import { Play } from './play.ts';
import { Screen } from './screen.ts';

export interface DemoOptions {
  readonly seconds: number;
}

/** `tokeep demo`: an issuer, its server, tokens kept fresh and checked, a new key. Exit 0 if all of it held; nothing is left behind. */
export async function demo({ io, paint, world }: Context, { seconds }: DemoOptions): Promise<ExitCode> {
  const screen = new Screen(io.stdout, paint);
  const stop = AbortSignal.any([interruption(), screen.lost]);
  try {
    await using stage = await IssuerStage.open(world, process.argv[1] ?? '');
    stop.addEventListener('abort', () => void stage.commands[Symbol.asyncDispose]());
    await new Play(screen, stage, stop).run(seconds);
    return exit.fine;
  } catch (thrown) {
    screen.end();
    // A signal from a terminal also ends our processes, which may be noticed first.
    if (!stop.aborted) await wait(100, undefined, { signal: stop }).catch(() => {});
    if (!stop.aborted) throw thrown;
    if (!(stop.reason instanceof Interruption)) throw stop.reason;
    screen.say('interrupted; nothing is left behind');
    return stop.reason.exitCode as ExitCode;
  }
}
