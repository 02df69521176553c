import { type ExitCode, exit } from '../fault/codes.ts';
import { timestamp } from '../observe/printable.ts';
import { getToken } from '../renew/get.ts';
import type { Audience, Scope } from '../token/names.ts';
import type { Millis } from '../token/time.ts';
import { wishNames } from './arguments.ts';
import type { Context } from './context.ts';
import { openEngine } from './open-engine.ts';
import { stopSignals } from './stop-signal.ts';

export interface GetWish {
  readonly minLifetime?: Millis;
  readonly audience?: string;
  readonly scope?: string;
}

/** `tokeep get`: the token and a line end on stdout, nothing else. */
export async function get(context: Context, name: string, wish: GetWish): Promise<ExitCode> {
  const config = await context.config();
  wishNames(config, [name]);
  const engine = await openEngine(context, { absent: 'keep' });
  const { token, expiresAt } = await getToken(engine, name, {
    signals: { waiting: context.signal, request: stopSignals().hurry },
    ...(wish.minLifetime === undefined ? {} : { minLifetime: wish.minLifetime }),
    ...(wish.audience === undefined ? {} : { audience: [wish.audience as Audience] }),
    ...(wish.scope === undefined ? {} : { scope: wish.scope.split(/\s+/).filter(Boolean) as unknown as Scope[] }),
  });
  // Here, and in fast-get.ts, a token leaves on purpose: it is what was asked for.
  if (context.options.json) await context.printJson({ token: token.reveal(), expires: timestamp(expiresAt) });
  else await context.print(token.reveal());
  return exit.fine;
}
