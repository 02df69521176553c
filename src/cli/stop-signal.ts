let controller: AbortController | undefined;

/**
 * Fires on the first SIGINT or SIGTERM; the second one ends the process as usual. Before anybody asks for it, both signals
 * end the process at once, which is right for commands that change nothing.
 */
export function stopSignal(): AbortSignal {
  if (controller !== undefined) return controller.signal;
  const made = new AbortController();
  controller = made;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => made.abort(new Error(signal)));
  return made.signal;
}
