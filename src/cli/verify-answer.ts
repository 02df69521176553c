import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { printable, span, timestamp } from '../observe/printable.ts';
import { between } from '../token/time.ts';
import type { Refusal, VerifiedToken } from '../verify/verification.ts';
import type { Context } from './context.ts';
import { tokenAtHand } from './token-at-hand.ts';
import type { TokenOptions } from './token-options.ts';
import { type Trust, type TrustOptions, trustFrom } from './trust-options.ts';

export type VerifyOptions = TokenOptions & TrustOptions;

/** `tokeep verify`: one sentence. Exit 6 for a refused token, 4 where it cannot be told without keys that nobody gives. */
export async function verify(context: Context, options: VerifyOptions): Promise<ExitCode> {
  const trust = await trustFrom(context, options);
  const { text, from, warnings } = await tokenAtHand(context, options, 'verify');
  const verification = await trust.verify(text);
  const told = [...warnings, ...trust.warnings()];
  if (context.options.json) {
    await context.printJson({ from, ...documentOf(verification), warnings: told });
    return verification.kind === 'valid' ? exit.fine : faultOf(verification).exit;
  }
  if (verification.kind === 'refused') {
    await warn(context, warnings);
    throw faultOf(verification);
  }
  await context.print(printable(sentence(verification.token, trust, context)));
  await warn(context, told);
  return exit.fine;
}

/** A refusal as the end of a command: keys that could not be had may come back (exit 4), everything else is final (exit 6). */
export function faultOf({ code, why, hint }: Refusal): Fault {
  const details = hint === undefined ? {} : { hint: printable(hint) };
  return new Fault(code === 'keys-unavailable' ? 'keys-unavailable' : 'token-refused', why, details);
}

async function warn(context: Context, warnings: readonly string[]): Promise<void> {
  for (const warning of warnings) await context.warn(`tokeep: ${printable(warning)}`);
}

const documentOf = (verification: Awaited<ReturnType<Trust['verify']>>): object =>
  verification.kind === 'valid'
    ? { verdict: 'valid', ...tokenDocument(verification.token) }
    : refusedDocument(verification);

/** A refusal for `--json`. */
export const refusedDocument = ({ code, why, hint }: Refusal): object => ({
  verdict: 'refused',
  code,
  why,
  ...(hint === undefined ? {} : { hint }),
});

function tokenDocument({ header, claims, issuedAt, expiresAt, ...token }: VerifiedToken): object {
  const issued = issuedAt === undefined ? {} : { issuedAt: timestamp(issuedAt) };
  return { ...token, ...issued, expiresAt: timestamp(expiresAt), header, claims };
}

function sentence(token: VerifiedToken, trust: Trust, { world }: Context): string {
  const { issuer, subject, kid, header, expiresAt, profile } = token;
  const key = kid === undefined ? 'its only key' : `key ${kid}`;
  const who = subject === undefined ? 'without a subject' : `subject ${subject}`;
  const whom = trust.audiences.length === 0 ? '' : `, for ${token.audience ?? 'every service'}`;
  const left = span(between(world.clock.now(), expiresAt));
  return `the token is good: signed by ${issuer} (${key}, ${String(header['alg'])}), ${who}${whom}, profile ${profile}, until ${timestamp(expiresAt)} (${left})`;
}
