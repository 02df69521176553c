import type { Account, AudienceWish, ScopeWish } from '../config/config.ts';
import type { Fault } from '../fault/fault.ts';
import type { OwnIssuers } from '../mint/own-issuers.ts';
import type { AccountRecord, AccountSecrets } from '../store/records.ts';
import type { WishName } from '../token/names.ts';
import type { AccessToken, Credential, Secret } from '../token/secret.ts';
import type { Epoch, Millis } from '../token/time.ts';
import type { World } from '../world/world.ts';

/** What is asked of an issuer for one wish. */
export interface TokenRequest {
  readonly audience: AudienceWish;
  readonly scope: ScopeWish;
  readonly lifetime?: Millis;
  readonly subject?: string;
  /** What the token must have left, for servers that answer from a cache: more than is left of the one at hand. */
  readonly atLeast?: Millis;
  /** For token_exchange: the token of the wish named by the account. */
  readonly subjectToken?: AccessToken;
  /** What it is for, where that is written down (the audit log of an issuer of our own). */
  readonly purpose?: { readonly wish: WishName; readonly targets: readonly string[] };
}

/** What a grant may use. `record` and `secrets` are as read under the account's lock. */
export interface GrantContext<A extends Account = Account> {
  readonly world: World;
  readonly account: A;
  readonly record: AccountRecord | undefined;
  readonly secrets: AccountSecrets;
  readonly signal: AbortSignal;
  /** For accounts that sign themselves. */
  readonly ownIssuers?: OwnIssuers;
}

/** What came back, untouched: an answer to be salvaged first and judged later. Opaque outside acquire/. */
export interface RawAnswer {
  readonly kind: 'raw';
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly sentAt: Epoch;
  readonly receivedAt: Epoch;
  /** Where it comes from and which secrets went there: a sentence names the one and never quotes the others. */
  readonly asked?: { readonly url: string; readonly secrets: readonly Secret[] };
  /** What was found out about the issuer on the way; whoever saves the account's record adds it to `learnt`. */
  readonly learnt?: Readonly<Record<string, string>>;
  /** Of an issuer of our own: sentences that whoever runs it should see. */
  readonly remarks?: readonly string[];
}

/** No answer, or the request could not even be made. */
export interface NoAnswer {
  readonly kind: 'none';
  /** `perhaps`: the credential may have been spent. */
  readonly sent: 'no' | 'perhaps';
  readonly fault: Fault;
}

export interface ObtainedToken {
  readonly kind: 'token';
  readonly token: AccessToken;
  /** Counted from before the request was sent; undefined when the answer says nothing usable. */
  readonly expiresIn: Millis | undefined;
  readonly sentAt: Epoch;
  readonly receivedAt: Epoch;
  /** `scope` of the answer, if there was one. */
  readonly scope: readonly string[] | undefined;
  /** Oddities that did not stop us, each a sentence (clamped lifetime, missing token_type). */
  readonly oddities: readonly string[];
  /** As in the answer. */
  readonly remarks?: readonly string[];
}

/** The answer, judged. Expected outcomes are values. */
export type GrantOutcome =
  | ObtainedToken
  /** A definite no; `fault.code` says whose turn it is: login-needed, client-refused, request-refused, issuer-*. */
  | { readonly kind: 'refused'; readonly fault: Fault; readonly oauthError: string; readonly credentialDead: boolean }
  /** Try again later; never final. */
  | { readonly kind: 'later'; readonly fault: Fault; readonly retryAfter: Epoch | undefined };

/** What can be taken out of an answer whatever else is wrong with it. */
export interface Salvage {
  readonly successor: Credential | undefined;
  /** How long the credential (new or old) lives, if the answer says so. */
  readonly credentialExpiresIn: Millis | undefined;
}

/**
 * One way from an account to an access token. One file per grant, one line in `acquire/grants.ts`.
 *
 * Contract: `send` makes at most one request that spends the credential and never repeats it; requests that spend nothing
 * (metadata, look-ups) may come before. It never throws for what the network or issuer does. `salvage` and `judge` are pure.
 * `salvage` is called, and its result made durable, before `judge` (docs/reliability.md, "The rotation protocol").
 */
export interface Grant<A extends Account = Account> {
  readonly name: A['grant'];
  /** `nobody`: the answer is made here, so that neither limits nor the weather of a network apply. */
  readonly asks: 'issuer' | 'nobody';
  /** `credential`: sending may use up the account's credential, so the rotation protocol applies. */
  readonly spends: 'nothing' | 'credential';
  /** The issuer limits apply to this key: the issuer URL, or the origin that is asked. */
  issuerKey(account: A, record: AccountRecord | undefined): string;
  /** The first credential, for grants whose credential is named by the configuration; undefined if it only lives in the store. */
  firstCredential?(context: GrantContext<A>): Promise<Credential>;
  send(context: GrantContext<A>, request: TokenRequest): Promise<RawAnswer | NoAnswer>;
  salvage(raw: RawAnswer, context: GrantContext<A>): Salvage;
  judge(raw: RawAnswer, context: GrantContext<A>): GrantOutcome;
}
