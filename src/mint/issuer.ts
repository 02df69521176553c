import type { SecretRef } from '../config/config.ts';
import type { Database, Session } from '../store/database.ts';
import type { Sealer } from '../store/sealer.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { AccessToken } from '../token/secret.ts';
import type { Epoch, Millis } from '../token/time.ts';
import type { AuditLog } from './audit.ts';
import type { Engine } from './engine.ts';
import type { IssueProfile, IssuerPolicy, JsonValue, MintRequest, PolicyAnswer } from './policy.ts';
import type { KeyPlace } from './private-keys.ts';
import type { SigningKey } from './signing-key.ts';
import type { SubjectNames } from './subject-name.ts';

/** issuer.yaml, read. */
export interface IssuerSettings {
  readonly url: IssuerUrl;
  readonly profile: IssueProfile;
  readonly policy: IssuerPolicy;
  readonly audit: { readonly subjects: 'plain' | 'hashed' };
  /** Where new private keys go. */
  readonly keys: 'sealed' | 'file';
  readonly rotation: RotationTimes;
  /** Of the database, where it is not issuer.db. Its address may hold a password, and is read when it is opened. */
  readonly store:
    | { readonly kind: 'sqlite' }
    | { readonly kind: 'postgres'; readonly url: SecretRef; readonly caFile?: string };
  /** Claims are written as HTCondor's local issuer has them. */
  readonly htcondor?: HtcondorClaims;
}

/** `aud` is a list even of one and absent without any, there is no `client_id`, and audiences are to the letter (`IssuerPolicy`). */
export interface HtcondorClaims {
  /** Of the profile `scitokens`, as TOKEN_VERSION of HTCondor says it; without one there is no `ver`. */
  readonly ver?: string;
}

/** WLCG profile 1.3 section 4.3.1. */
export interface RotationTimes {
  /** How long a key is published before it signs: one expiry of the verifiers' key caches (2 days). */
  readonly ahead: Millis;
  /** How long it stays published after the last token it signed has ended, for clocks and caches. */
  readonly behind: Millis;
  /** How long a key signs (6 months). */
  readonly life: Millis;
}

export interface Minted {
  readonly token: AccessToken;
  readonly jti: string;
  readonly kid: string;
  readonly issuedAt: Epoch;
  readonly expiresAt: Epoch;
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, JsonValue>>;
  /** Sentences: what was cut, what is unusual. */
  readonly remarks: readonly string[];
}

/**
 * An issuer of our own. Contract: `mint` is the one way to a signature; the policy was asked and the audit line is on disk before
 * the token is handed out, also when the mint is part of a caller's transaction (`mintIn`). Keys and policy are looked at again
 * at least once a second, so that a change made by another process holds at once.
 *
 * `mint` throws Fault `policy-refused` (with a line in the audit log), `signing-key-missing`, `seal-*`, `state-*`.
 */
export interface Issuer {
  readonly directory: string;
  readonly settings: IssuerSettings;
  readonly audit: AuditLog;
  readonly database: Database;
  /** What the policy says, without minting. */
  judge(request: MintRequest): Promise<PolicyAnswer>;
  mint(request: MintRequest): Promise<Minted>;
  /** As `mint`, inside a transaction of the caller; the token must not be handed out before that has committed. */
  mintIn(session: Session, request: MintRequest): Promise<Minted>;
  /** All but the removed ones unless asked for. */
  keys(also?: { readonly removed: boolean }): Promise<readonly SigningKey[]>;
  close(): Promise<void>;
}

export interface IssuerDeps {
  /**
   * Asked only where something is sealed: a key, or the key of the names of subjects. `sealedWith` is the id of the key that this issuer's
   * own are sealed with already; no new one is to be made then, since it could open none of them.
   */
  readonly sealer: (sealedWith?: string) => Promise<Sealer>;
  /** Our chain in the audit log: `local`, or the name of this node where several share a database. */
  readonly chain: string;
}

/** An issuer as those see it who change its keys. */
export interface OpenIssuer extends Issuer {
  readonly engine: Engine;
  readonly keyPlace: KeyPlace;
  /**
   * The key that a token asked for now would be signed with, its private half opened; undefined where none signs. Throws what keeps tokens
   * from being signed: `seal-wrong-key`, `signing-key-unusable`, `config-invalid`, and what reading the database throws.
   */
  signingKey(): Promise<SigningKey | undefined>;
  subjectNames(): Promise<SubjectNames>;
  /** Something was changed: look again before the next token. */
  lookAgain(): void;
}
