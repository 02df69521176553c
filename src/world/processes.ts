import type { Millis } from '../token/time.ts';

export interface CommandCall {
  /** Absolute path; no shell is ever involved. */
  readonly file: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeout: Millis;
  readonly maxOutput: number;
  readonly signal?: AbortSignal;
}

export type CommandEnd =
  | { readonly kind: 'exited'; readonly status: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'killed'; readonly signal: string; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'too-much-output' }
  | { readonly kind: 'not-started'; readonly reason: string };

/** Running a command to its end, as a port. Contract: resolves, never rejects; a child that outlives its time is killed with its group. */
export interface Processes {
  run(call: CommandCall): Promise<CommandEnd>;
}
