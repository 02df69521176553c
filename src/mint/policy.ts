import type { Epoch, Millis } from '../token/time.ts';

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** By whose rules tokens are made. `scitokens` is version 2. */
export type IssueProfile = 'wlcg' | 'scitokens' | 'at+jwt';

/**
 * What may be signed. Patterns may hold `*`, which stands for any text without a blank (in audiences: and without a slash, but for `*`
 * alone); an absent list allows nothing.
 */
export interface IssuerPolicy {
  /** Scopes that may be given, and everything below their paths (`storage.read:/osg` allows `storage.read:/osg/data`). */
  readonly scopes: readonly string[];
  readonly audiences: readonly string[];
  /** Whether a token that every service accepts may be made, on explicit wish. */
  readonly everyone: boolean;
  readonly subjects: readonly string[];
  readonly groups: readonly string[];
  /** Names of further claims that may be set. */
  readonly claims: readonly string[];
  readonly lifetime: { readonly usual: Millis; readonly most: Millis };
  /** Subjects that get nothing more, as they are asked for; here a star stands for blanks, too. */
  readonly suspended: readonly string[];
  /**
   * Audiences are given just as they stand in `audiences`, where a star is no pattern: none at all is allowed, too, and one that means
   * every service, alone or beside others. For tokens that services know from HTCondor's local issuer, whose configuration says it so.
   */
  readonly audiencesToTheLetter?: true;
}

/** What somebody wants to have signed. */
export interface MintRequest {
  readonly subject: string;
  /** Of whom the subject is a random name: who is suspended as a user gets nothing under that name either. Stands nowhere else. */
  readonly user?: string;
  readonly audiences: readonly string[];
  /** A token for every service: never without being asked for. */
  readonly everyone: boolean;
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** Wished; cut to what policy allows, never refused for being long (ISS-10). */
  readonly lifetime?: Millis;
  /** The token must have ended by then (token exchange: the end of the subject token). */
  readonly notAfter?: Epoch;
  readonly clientId?: string;
  /** Further claims. Those that the issuer sets itself are refused. */
  readonly claims: Readonly<Record<string, JsonValue>>;
  /** Who asked, for the audit log: `sign`, `renew ce-msu`, `client rucio`. */
  readonly by: string;
  /** Where the token goes, for the audit log: targets, `stdout`, an address. */
  readonly deliveredTo: readonly string[];
  /** The request of a server's client, for the audit log. */
  readonly requestId?: string;
}

/** A request with everything settled, ready to be signed. */
export interface SettledRequest {
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  readonly lifetime: Millis;
  readonly clientId: string | undefined;
  readonly claims: Readonly<Record<string, JsonValue>>;
}

/** `error` is the word of RFC 6749 section 5.2, or RFC 8707 section 2, that a server answers with. */
export type PolicyAnswer =
  | { readonly kind: 'allowed'; readonly request: SettledRequest; readonly remarks: readonly string[] }
  | {
      readonly kind: 'refused';
      readonly error: 'invalid_scope' | 'invalid_target' | 'access_denied' | 'invalid_request';
      /** A sentence in the manner of a Fault: what was asked, and that it is not allowed. */
      readonly why: string;
      /** What the policy allows instead. For whoever runs the issuer: it names users and services that are no business of a client. */
      readonly allowed?: string;
      readonly hint?: string;
    };
