import type { FaultCode, Who } from '../fault/codes.ts';
import type { AccountName, WishName } from '../token/names.ts';
import type { Credential } from '../token/secret.ts';
import type { Epoch } from '../token/time.ts';

/** Something that is wrong, since when, and when it is tried again. Persisted, so that a restart is not a reset of backoff. */
export interface Trouble {
  readonly code: FaultCode;
  readonly who: Who;
  /** A sentence for people; never a secret. */
  readonly sentence: string;
  readonly hint?: string;
  readonly since: Epoch;
  readonly lastAt: Epoch;
  /** How many times in a row. */
  readonly attempts: number;
  /** null: nothing is tried again until a person has acted. */
  readonly nextTry: Epoch | null;
  /** What the issuer asked for with Retry-After, already bounded. */
  readonly retryAfter?: Epoch;
}

/** What is known of an access token without the token. */
export interface TokenFacts {
  readonly fingerprint: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly audience: readonly string[];
  readonly scope: readonly string[];
  readonly issuedAt: Epoch;
  readonly expiresAt: Epoch;
  /** How the end of life was learnt; `assumed` is ten minutes. */
  readonly lifeFrom: 'exp' | 'expires_in' | 'assumed';
  readonly jti?: string;
}

/** What is durably known of one wish. */
export interface WishRecord {
  readonly name: WishName;
  readonly account: AccountName;
  /** The {@link Wish.fingerprint} the token was obtained for. */
  readonly fingerprint: string;
  /**
   * The {@link Wish.fingerprint} last registered. When `register` brings another one, the old failures say nothing any more:
   * `trouble` and `remark` become null, `failures` 0, and the wish is due at once.
   */
  readonly wished: string;
  /** `parked`: no longer in the configuration; kept until told (scenario 35). */
  readonly state: 'kept' | 'parked';
  readonly token: TokenFacts | null;
  /** The renewal point of this token, drawn once; null without a token. */
  readonly renewAt: Epoch | null;
  /** When somebody has to look at the wish again: the renewal point, the next try, or a delivery's next try. Indexed. */
  readonly dueAt: Epoch;
  readonly failures: number;
  readonly trouble: Trouble | null;
  /** A token that is good but has fewer scopes than wished, and the like. */
  readonly remark: Trouble | null;
  /** Grows with every claim; a settle with an older fence is refused. */
  readonly fence: number;
  readonly renewals: number;
}

export type RefreshExpiry =
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'known';
      readonly at: Epoch;
      readonly from: 'refresh_expires_in' | 'exp' | 'look-up' | 'configured';
    };

/** A credential is about to be, or may have been, spent. */
export interface Intent {
  readonly attempt: string;
  /** Fingerprint of the credential being spent. */
  readonly spends: string;
  readonly at: Epoch;
  /** `unknown`: it was sent and no definite answer came. */
  readonly outcome: 'open' | 'unknown';
}

/** What is durably known of one account; the secret itself is read with {@link Store.credential}. */
export interface AccountRecord {
  readonly name: AccountName;
  readonly fingerprint: string;
  readonly state: 'kept' | 'parked';
  /** Grows with every change of the record; the compare-and-swap of {@link Store.saveAccount}. */
  readonly generation: number;
  /** `none`: nothing stored (client credentials, or not logged in yet). `suspended`: refused, looked at again once an hour. */
  readonly login: 'none' | 'ready' | 'suspended' | 'dead';
  readonly credential: {
    readonly kind: Credential['kind'];
    readonly fingerprint: string;
    readonly obtainedAt: Epoch;
  } | null;
  readonly expiry: RefreshExpiry;
  readonly intent: Intent | null;
  readonly trouble: Trouble | null;
  /** Where the credential came from and successors are written back to, if it is an oidc-agent account file; and how that went. */
  readonly writeBack: {
    readonly path: string;
    readonly doneFor: string | null;
    readonly trouble: Trouble | null;
  } | null;
  /** Small things learnt about the issuer and remembered, such as `client-auth: raw` or `audience: resource`. No secrets. */
  readonly learnt: Readonly<Record<string, string>>;
  /** What dynamic registration gave, apart from secrets: client_id, endpoints, scope. */
  readonly client: {
    readonly issuer: string;
    readonly clientId: string;
    readonly authMethod: string;
    readonly scope?: string;
  } | null;
}

/** The secrets of an account, sealed at rest with the record's name and generation as associated data. */
export interface AccountSecrets {
  readonly credential?: Credential;
  readonly clientSecret?: import('../token/secret.ts').ClientSecret;
  readonly registrationToken?: import('../token/secret.ts').Secret<'registration_token'>;
}

/** One wish at one target on one node. */
export interface DeliveryRecord {
  readonly wish: WishName;
  readonly target: string;
  readonly node: string;
  /** Fingerprint of the token that lies there; null if none was delivered yet. */
  readonly delivered: string | null;
  readonly deliveredAt: Epoch | null;
  readonly trouble: Trouble | null;
}

/** One issuer as seen from here: its circuit and its wishes about pace. */
export interface IssuerRecord {
  /** The issuer URL, or the origin of the token endpoint where there is no issuer. */
  readonly issuer: string;
  readonly circuit:
    | { readonly kind: 'closed' }
    | { readonly kind: 'open'; readonly since: Epoch; readonly probeAt: Epoch; readonly failures: number };
  /** Nothing is sent before this (Retry-After). */
  readonly notBefore: Epoch | null;
  readonly trouble: Trouble | null;
  /** Our clock minus theirs, in milliseconds, from the last `Date` header. */
  readonly skew: number | null;
}

/** What somebody was last told about a condition, so that they hear of each change once. */
export interface NoticeRecord {
  readonly key: string;
  readonly channel: string;
  readonly state: 'raised' | 'cleared';
  readonly stage: string;
  readonly saidAt: Epoch;
}
