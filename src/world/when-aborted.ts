const watched = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `stop` once if the signal fires from now on; returns how to take that back. A signal gets one listener from here for all
 * that goes on under it: an EventTarget looks through its listeners for each that comes and goes, which for thousands of requests
 * under one signal takes their time squared.
 */
export function whenAborted(signal: AbortSignal, stop: () => void): () => void {
  const stops = stopsOf(signal);
  // Of its own, so that the same function may be handed in twice.
  const entry = () => stop();
  stops.add(entry);
  return () => void stops.delete(entry);
}

function stopsOf(signal: AbortSignal): Set<() => void> {
  const known = watched.get(signal);
  if (known !== undefined) return known;
  const stops = new Set<() => void>();
  const fired = () => {
    // A Set goes on without those that are deleted meanwhile.
    for (const stop of stops) stop();
    stops.clear();
  };
  signal.addEventListener('abort', fired, { once: true });
  watched.set(signal, stops);
  return stops;
}
