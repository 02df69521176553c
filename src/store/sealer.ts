import type { Secret, SecretKind } from '../token/secret.ts';

/** What a sealed secret is bound to: it opens only for the same record at the same generation. */
export interface SealBinding {
  readonly record: string;
  readonly generation: number;
}

/**
 * Seals secrets for the disk: an envelope of version, key id, wrapped data key and AES-256-GCM (docs/architecture.md, "State").
 * Contract: `open` throws Fault `seal-wrong-key` when the envelope names another key than ours, `seal-damaged` when it does not open.
 */
export interface Sealer {
  readonly keyId: string;
  /** Keys it opens with besides: while a change of the sealing key is under way there are two. */
  readonly alsoOpens?: readonly string[];
  seal(secret: Secret, binding: SealBinding): string;
  open<K extends SecretKind>(kind: K, envelope: string, binding: SealBinding): Secret<K>;
}
