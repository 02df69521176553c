import { randomUUID } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import { Secret } from '../token/secret.ts';
import type { Epoch } from '../token/time.ts';
import { claimsOf, headerOf } from './claims.ts';
import type { Minted } from './issuer.ts';
import type { Seen } from './issuer-view.ts';
import type { PolicyAnswer } from './policy.ts';
import { signJws } from './sign-jws.ts';
import { unpublishedRemark } from './unpublished-key.ts';

/** What verifiers take at most, ours too. */
const largestToken = 16 * 1024;

/** `refused` is not an error of a program: claims can be as long as whoever asks wants them to be. */
export type Signing = { readonly kind: 'signed'; readonly minted: Minted } | Extract<PolicyAnswer, { kind: 'refused' }>;

/** The token that the policy has allowed; nobody may have it before its line in the audit log is on disk. */
export function signToken(
  { settings, signer }: Seen,
  { request, remarks }: Extract<PolicyAnswer, { kind: 'allowed' }>,
  now: Epoch,
): Signing {
  const { url, profile, htcondor } = settings;
  if (signer === undefined) {
    throw new Fault('signing-key-missing', `the issuer ${url} has no key that signs`, {
      hint: 'tokeep issuer import KEY.pem, or tokeep issuer rotate --now --reason TEXT, twice: one makes it, one has it sign',
    });
  }
  const { key, privateKey } = signer;
  const jti = randomUUID();
  const { issuedAt, expiresAt, claims } = claimsOf(request, { url, profile, jti, now, htcondor });
  const text = signJws(headerOf(profile, key.kid), claims, privateKey, key.algorithm);
  if (text.length > largestToken) {
    const why = `the token would be longer than ${largestToken} characters, which verifiers refuse`;
    return { kind: 'refused', error: 'invalid_request', why };
  }
  const token = new Secret('access_token', text);
  const { scopes } = request;
  const unknown = unpublishedRemark(key);
  const told = unknown === undefined ? remarks : [...remarks, unknown];
  return { kind: 'signed', minted: { token, jti, kid: key.kid, issuedAt, expiresAt, scopes, claims, remarks: told } };
}
