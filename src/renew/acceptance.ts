import type { Account, Wish } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { TokenFacts } from '../store/records.ts';
import { isForEveryone } from '../token/audience.ts';
import { missingScopes } from '../token/scope.ts';
import { after, between, type Epoch, seconds } from '../token/time.ts';
import { clockTolerance } from './verdict.ts';

/** What ends sooner can be used by nobody, and keeping it fresh would be a loop (scenario 18). */
const shortestLife = seconds(1);

export type Acceptance =
  | { readonly kind: 'accepted'; readonly remark: Fault | undefined }
  | { readonly kind: 'rejected'; readonly fault: Fault };

export interface Offer {
  readonly wish: Wish;
  readonly account: Account;
  /** The issuer an adopted credential is for, where the account does not say. */
  readonly issuerOfCredential: string | undefined;
  /** The token at hand, if it was obtained for the same wish. */
  readonly present: TokenFacts | null;
  readonly offered: TokenFacts;
  readonly now: Epoch;
}

/**
 * A good token is never replaced by a worse one. Wrong issuer, audience or subject is never taken; fewer scopes only when
 * nothing better is valid, and then with a remark; a life that ends sooner than the present token's is not taken either.
 */
export function accept(offer: Offer): Acceptance {
  const wrong = wrongParty(offer) ?? wrongAudience(offer) ?? wrongLife(offer);
  if (wrong !== undefined) return { kind: 'rejected', fault: new Fault('token-worse', wrong) };
  const missing = missingOf(offer.wish, offer.offered);
  if (missing.length === 0) return { kind: 'accepted', remark: undefined };
  const narrow = `the issuer gave a token without ${missing.join(', ')}`;
  if (betterAtHand(offer))
    return { kind: 'rejected', fault: new Fault('token-worse', `${narrow}, and the present one is better`) };
  const hint = 'ask the issuer to allow these scopes for the client, or ask for less';
  return { kind: 'accepted', remark: new Fault('token-narrow', narrow, { hint }) };
}

function wrongParty({ wish, account, issuerOfCredential, present, offered }: Offer): string | undefined {
  const expected = account.issuer.kind === 'discovered' ? account.issuer.issuer : issuerOfCredential;
  if (expected !== undefined && offered.issuer !== undefined && offered.issuer !== expected) {
    return `the token is from issuer "${offered.issuer}", wished was "${expected}"`;
  }
  const subject = wish.subject ?? present?.subject;
  if (subject !== undefined && offered.subject !== undefined && offered.subject !== subject) {
    return `the token is for subject "${offered.subject}", wished was "${subject}"`;
  }
  return undefined;
}

function wrongAudience({ wish, offered }: Offer): string | undefined {
  const wished = wish.audience.audiences;
  const given = offered.audience;
  // An opaque token, or one without aud, cannot be compared.
  if (wished.length === 0 || given.length === 0) return undefined;
  if (given.some(isForEveryone)) return undefined;
  const missing = wished.filter((audience) => !given.includes(audience));
  return missing.length === 0
    ? undefined
    : `the token is for audience ${given.join(', ')}; ${missing.join(', ')} is missing`;
}

function wrongLife({ present, offered, now }: Offer): string | undefined {
  if (offered.expiresAt <= now) return 'the token had already expired when it came';
  if (between(now, offered.expiresAt) < shortestLife) return 'the token ends within a second of its coming';
  if (present === null || present.expiresAt <= now || present.fingerprint === offered.fingerprint) return undefined;
  // The clock was set back since: the two lives are not told in the same time (scenario 19).
  if (present.issuedAt > after(now, clockTolerance)) return undefined;
  return offered.expiresAt < present.expiresAt ? 'the token ends sooner than the one at hand' : undefined;
}

function missingOf(wish: Wish, token: TokenFacts): readonly string[] {
  // Without a scope in the token or the answer there is nothing to compare (RFC 6749 section 5.1: as asked).
  if (wish.scope.kind !== 'scopes' || token.scope.length === 0) return [];
  const { extraScopes = [] } = wish;
  const wanted = wish.scope.scopes.filter((scope) => !extraScopes.includes(scope));
  return missingScopes(wanted, token.scope);
}

function betterAtHand({ wish, present, offered, now }: Offer): boolean {
  if (present === null || present.expiresAt <= now || present.scope.length === 0) return false;
  return missingOf(wish, present).length < missingOf(wish, offered).length;
}
