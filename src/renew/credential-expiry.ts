import type { RawAnswer, Salvage } from '../acquire/grant.ts';
import type { Account } from '../config/config.ts';
import type { AccountRecord, RefreshExpiry } from '../store/records.ts';
import { decodeJwt } from '../token/jwt.ts';
import type { Credential } from '../token/secret.ts';
import { after, type Epoch, epochFromSeconds, type Millis } from '../token/time.ts';

/**
 * How long a new credential lives, learnt in this order: what the answer says, its own `exp`, what the owner configured. Unknown
 * is said as unknown.
 */
export function expiryOf(known: {
  credential: Credential;
  says: Millis | undefined;
  account: Account;
  at: Epoch;
}): RefreshExpiry {
  const { credential, says, account, at } = known;
  if (says !== undefined) return { kind: 'known', at: after(at, says), from: sayer(credential.kind) };
  const exp = expOf(credential);
  if (exp !== undefined) return { kind: 'known', at: exp, from: 'exp' };
  if (account.refreshLifetime !== undefined)
    return { kind: 'known', at: after(at, account.refreshLifetime), from: 'configured' };
  return { kind: 'unknown' };
}

/** What an answer says about a credential that stays; undefined if it says nothing. */
export function saidExpiry(record: AccountRecord, raw: RawAnswer, salvage: Salvage): RefreshExpiry | undefined {
  if (record.credential === null || salvage.credentialExpiresIn === undefined) return undefined;
  return { kind: 'known', at: after(raw.receivedAt, salvage.credentialExpiresIn), from: sayer(record.credential.kind) };
}

/** Vault and Mytoken are asked; an OAuth issuer says it unasked. */
const sayer = (kind: Credential['kind']) => (kind === 'refresh_token' ? 'refresh_expires_in' : 'look-up');

function expOf(credential: Credential): Epoch | undefined {
  const decoded = decodeJwt(credential.reveal());
  const exp = decoded.kind === 'jwt' ? decoded.claims['exp'] : undefined;
  return typeof exp === 'number' && Number.isFinite(exp) && exp > 0 ? epochFromSeconds(exp) : undefined;
}
