import type { Epoch, Millis } from '../token/time.ts';

export interface LocalSocketCall {
  readonly path: string;
  /** Goes out in one write: oidc-agent takes what one read gives it for the whole request. */
  readonly message: string;
  /** From connecting to the other side's close. */
  readonly timeout: Millis;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export type LocalSocketEnd =
  | { readonly kind: 'answer'; readonly text: string; readonly sentAt: Epoch; readonly receivedAt: Epoch }
  /** `code` is that of connect(2) or read(2): ENOENT, ECONNREFUSED, EACCES, ECONNRESET, … */
  | { readonly kind: 'no-connection'; readonly code: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'too-much-output' };

/**
 * One question and one answer over a unix stream socket, as a port.
 *
 * Contract: resolves, never rejects, within `timeout` (and promptly when the signal fires, as `timed-out`); the answer is all
 * that comes until the other side closes, and our side stays open until then. Who listens there is for the caller to check.
 */
export interface LocalSockets {
  ask(call: LocalSocketCall): Promise<LocalSocketEnd>;
}
