/** What SIGINT and SIGTERM ask for: the first to stop at the next safe point, the second to cut short what is under way. */
interface StopSignals {
  readonly stop: AbortSignal;
  /** What is on its way is given up, its outcome is unknown, and it is tried again at the next start; saving goes on. */
  readonly hurry: AbortSignal;
}

let signals: StopSignals | undefined;

/**
 * Before anybody asks for them, both signals end the process at once, which is right for commands that change nothing; the
 * third one does so in any case.
 */
export function stopSignals(): StopSignals {
  if (signals !== undefined) return signals;
  const stop = new AbortController();
  const hurry = new AbortController();
  signals = { stop: stop.signal, hurry: hurry.signal };
  const next = (signal: NodeJS.Signals) => {
    if (!stop.signal.aborted) return stop.abort(new Error(signal));
    hurry.abort(new Error(signal));
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, next);
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, next);
  return signals;
}
