/** A command that a person or script runs through us: it has our terminal, and its end is our end. */
export interface AttachedCall {
  /** The program, looked up in PATH if it has no slash, then its arguments. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export type AttachedEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'not-started'; readonly reason: string };

/**
 * Runs a command with our standard streams to its end, as a port. Contract: resolves, never rejects; signals that we get are
 * passed on, and do not end us while it runs. The keys of a terminal reach it by themselves and are not passed on twice.
 */
export type RunAttached = (call: AttachedCall) => Promise<AttachedEnd>;
