import { Fault } from '../fault/fault.ts';
import type { Epoch } from '../token/time.ts';
import { retryAfter } from './retry-after.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly receivedAt: Epoch;
}

/** An answer that means "come back later", whatever was asked: 408, 425, 429, 503 and every other 5xx. Undefined for all others. */
export function laterFault(
  answer: Answer,
  where: string,
): { readonly kind: 'failed'; readonly fault: Fault; readonly retryAfter: Epoch | undefined } | undefined {
  const { status } = answer;
  if (status < 500 && status !== 408 && status !== 425 && status !== 429) return undefined;
  const at = retryAfter(answer.headers['retry-after'], answer.receivedAt, answer.headers['date']);
  const details = at === undefined ? {} : { retryAt: at };
  const fault =
    status === 429 || status === 503
      ? new Fault('issuer-overloaded', `${where} asks to come back later (${status})`, details)
      : new Fault('issuer-fault', `${where} answered with a fault of its own (${status})`, details);
  return { kind: 'failed', fault, retryAfter: at };
}
