import { hash } from 'node:crypto';
import { Secret } from '../token/secret.ts';
import type { Account, Wish } from './config.ts';

/** Everything that a token endpoint sees of an account. */
export function accountFingerprint(account: object): string {
  const { at, name, timeout, refreshLifetime, newLogin, fingerprint, ...matters } = account as Account;
  return digest(JSON.stringify(matters, revealFingerprint));
}

/** What the token asked for depends on; not its targets, nor how fresh it is kept. */
export function wishFingerprint(wish: Pick<Wish, 'account' | 'audience' | 'scope' | 'lifetime' | 'subject'>): string {
  const { account, audience, scope, lifetime = null, subject = null } = wish;
  return digest(JSON.stringify([account, audience, scope, lifetime, subject]));
}

/** By the time a replacer sees it, a Secret has been redacted to four digits; all of its fingerprint counts here. */
function revealFingerprint(this: Record<string, unknown>, key: string, plain: unknown): unknown {
  const original = this[key];
  return original instanceof Secret ? original.fingerprint : plain;
}

const digest = (text: string): string => hash('sha256', text, 'base64url');
