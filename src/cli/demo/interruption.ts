import { constants } from 'node:os';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Why a demonstration was broken off: a signal, also that of a terminal that was closed. */
export class Interruption extends Error {
  /** As shells say it. */
  readonly exitCode: number;

  constructor(name: (typeof names)[number]) {
    super(name);
    this.exitCode = 128 + constants.signals[name];
  }
}

/** From now on the signals that end a program fire this one instead, with an `Interruption`, so that everything can be taken away first. */
export function interruption(): AbortSignal {
  const stop = new AbortController();
  for (const name of names) process.on(name, () => stop.abort(new Interruption(name)));
  return stop.signal;
}
