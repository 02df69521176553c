import type { Epoch } from '../token/time.ts';
import { type ExitCode, type FaultCode, faultCodes, type Who } from './codes.ts';

export interface FaultDetails {
  /** What to do next; may be a command to copy. */
  readonly hint?: string;
  /** The earliest time at which trying again makes sense. */
  readonly retryAt?: Epoch;
  /** What was thrown below. Kept only as its redacted sentence: the object itself may hold secrets. */
  readonly cause?: unknown;
}

/**
 * The one error class of tokeep. The message is a sentence for people: lower case, no full stop; what was tried, on what,
 * what was found. It never holds a secret, and neither does its cause (SECURITY.md, "What is guaranteed"; scenario 44).
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly hint: string | undefined;
  readonly retryAt: Epoch | undefined;

  constructor(code: FaultCode, sentence: string, details: FaultDetails = {}) {
    super(sentence, details.cause === undefined ? undefined : { cause: describeCause(details.cause) });
    this.code = code;
    this.hint = details.hint;
    this.retryAt = details.retryAt;
  }

  get who(): Who {
    return faultCodes[this.code].who;
  }

  get exit(): ExitCode {
    return faultCodes[this.code].exit;
  }
}

/** The name and system code of a foreign error, without its text: the text of a library's error may quote what it was given. */
function describeCause(cause: unknown): string {
  if (cause instanceof Fault) return `${cause.code}: ${cause.message}`;
  if (cause instanceof Error) {
    const system = (cause as NodeJS.ErrnoException).code;
    return system === undefined ? cause.name : `${cause.name} ${system}`;
  }
  return typeof cause;
}

/** Turns whatever was thrown into a Fault; what is not one of ours is a `bug`, named by its class only. */
export function asFault(thrown: unknown, doing: string): Fault {
  if (thrown instanceof Fault) return thrown;
  return new Fault('bug', `${doing}: something unexpected happened (${describeCause(thrown)})`, { cause: thrown });
}
