import { createHash } from 'node:crypto';
import { Secret } from '../token/secret.ts';
import type { Account, Wish } from './config.ts';

/** Everything that a token endpoint sees of an account. */
export function accountFingerprint(account: object): string {
  const { at, name, timeout, refreshLifetime, fingerprint, ...matters } = account as Account;
  return digest(matters);
}

/** What the token asked for depends on; not its targets, nor how fresh it is kept. */
export function wishFingerprint(wish: Pick<Wish, 'account' | 'audience' | 'scope' | 'lifetime' | 'subject'>): string {
  return digest([wish.account, wish.audience, wish.scope, wish.lifetime ?? null, wish.subject ?? null]);
}

function digest(value: unknown): string {
  const text = JSON.stringify(value, function (this: Record<string, unknown>, key, plain: unknown) {
    // By the time a replacer sees it, a Secret has been redacted to four digits; all of its fingerprint counts here.
    const original = this[key];
    return original instanceof Secret ? original.fingerprint : plain;
  });
  return createHash('sha256').update(text).digest('base64url');
}
