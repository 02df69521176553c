import { hash } from 'node:crypto';
import { inspect } from 'node:util';

/** What a secret is for. The kind is part of the type, so that one cannot be handed over as another. */
export type SecretKind =
  | 'access_token'
  | 'refresh_token'
  | 'mytoken'
  | 'vault_token'
  | 'client_secret'
  | 'private_key'
  | 'password'
  | 'registration_token'
  | 'device_code'
  | 'authorization_code'
  | 'oidc_state';

/**
 * A text that must never be printed, logged, serialised or quoted in an error.
 *
 * Every way of turning it into text gives `[redacted 3f9a]`, where the four digits are the start of its SHA-256, enough to
 * tell two secrets apart in a log. `reveal()` is the only way to the text and is called in adapters only (SECURITY.md, "What is guaranteed").
 */
export class Secret<K extends SecretKind = SecretKind> {
  readonly kind: K;
  readonly #text: string;
  #fingerprint: string | undefined;

  constructor(kind: K, text: string) {
    this.kind = kind;
    this.#text = text;
  }

  /** The text itself. Only adapters that send, seal or deliver it may call this. */
  reveal(): string {
    return this.#text;
  }

  /** Hex SHA-256 of the text: equal secrets have equal fingerprints, and nothing leads back. */
  get fingerprint(): string {
    this.#fingerprint ??= hash('sha256', this.#text);
    return this.#fingerprint;
  }

  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return `[redacted ${this.fingerprint.slice(0, 4)}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }

  [Symbol.toPrimitive](): string {
    return this.toString();
  }
}

export type AccessToken = Secret<'access_token'>;
export type RefreshToken = Secret<'refresh_token'>;
export type ClientSecret = Secret<'client_secret'>;

/** A secret that an account keeps and that asking for a token may replace: the *credential* of docs/architecture.md. */
export type Credential = Secret<'refresh_token'> | Secret<'mytoken'> | Secret<'vault_token'>;
