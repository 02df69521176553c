import { z } from 'zod';
import type { HttpRequest } from './http.ts';
import type { OutgoingMail } from './mailer.ts';
import type { TextAnswer } from './text-server.ts';

/** What the network process is told. `id` comes back in its answer. */
export type ToNetwork =
  /** First of all: proxies may hold a password, which neither arguments nor the environment of a process keep. */
  | { readonly kind: 'begin'; readonly env: Readonly<Record<string, string>> }
  | { readonly kind: 'send'; readonly id: number; readonly request: RequestInWords }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'mail'; readonly id: number; readonly mail: MailInWords }
  | { readonly kind: 'listen'; readonly id: number; readonly host: string; readonly port: number }
  | { readonly kind: 'close'; readonly id: number; readonly server: number }
  | { readonly kind: 'text'; readonly id: number; readonly text: TextAnswer | null };

export type RequestInWords = Omit<HttpRequest, 'url' | 'signal'> & { readonly url: string };
export type MailInWords = Omit<OutgoingMail, 'login'> & {
  readonly login?: { readonly user: string; readonly password: string };
};

const id = z.int().nonnegative();
const sentence = z.string().max(2_000);

/** A Fault of the network's side; its cause stays there. */
const faultInWords = z.strictObject({
  code: z.enum(['issuer-timeout', 'issuer-unreachable', 'issuer-tls', 'issuer-nonsense', 'notify-failed', 'bug']),
  message: sentence,
  hint: sentence.optional(),
});
export type FaultInWords = z.infer<typeof faultInWords>;

/** Pages that it may ask for and not have had an answer to: as many as its server takes connections. */
export const mostQuestions = 64;

/**
 * RFC 9110, section 5.6.2, in lower case; node:http gives names so. As long as a header may be: whatever an issuer can make node:http say is
 * an answer like any other, or one issuer could have the process ended for all.
 */
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9a-z-]{1,65536}$/);
const headerValue = z.string().max(65_536);

/** What the network process may say, to the letter: it speaks with strangers all day, and may have become one. */
const fromNetwork = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({
    kind: z.literal('answer'),
    id,
    // Any three digits are a status for node:http.
    status: z.int().min(0).max(999),
    headers: z.record(headerName, headerValue),
    body: z.string(),
  }),
  z.strictObject({ kind: z.literal('no-answer'), id, sent: z.enum(['no', 'perhaps']), fault: faultInWords }),
  z.strictObject({ kind: z.literal('mailed'), id }),
  z.strictObject({ kind: z.literal('not-mailed'), id, fault: faultInWords }),
  z.strictObject({ kind: z.literal('listening'), id, address: z.string().max(300) }),
  z.strictObject({ kind: z.literal('not-listening'), id, code: z.string().regex(/^[A-Z0-9_]{1,60}$/) }),
  z.strictObject({ kind: z.literal('closed'), id }),
  z.strictObject({ kind: z.literal('question'), id, server: id, path: z.string().max(16_384) }),
]);
export type FromNetwork = z.infer<typeof fromNetwork>;

/** Undefined for anything else. */
export function readFromNetwork(message: unknown): FromNetwork | undefined {
  return fromNetwork.safeParse(message).data;
}
