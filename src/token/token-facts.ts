import { decodeJwt } from './jwt.ts';
import { type Lifetime, type LifetimeHints, lifetimeOf } from './lifetime.ts';
import type { AccessToken } from './secret.ts';

/** What can be known of an access token without keeping it. Equal in structure to `TokenFacts` of store/records.ts. */
export interface TokenDescription extends Lifetime {
  readonly fingerprint: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly audience: readonly string[];
  readonly scope: readonly string[];
  readonly jti?: string;
}

export interface TokenContext extends LifetimeHints {
  /** `scope` of the answer, for tokens that do not say it themselves. */
  readonly scope?: readonly string[] | undefined;
}

/** Describes a token from its claims, and from the answer it came in where it has none. Pure; verifies nothing. */
export function describeToken(token: AccessToken, context: TokenContext): TokenDescription {
  const decoded = decodeJwt(token.reveal());
  const claims = decoded.kind === 'jwt' ? decoded.claims : {};
  return {
    fingerprint: token.fingerprint,
    audience: listOf(claims['aud']),
    scope: scopeOf(claims) ?? context.scope ?? [],
    ...lifetimeOf(claims, context),
    ...textClaim('issuer', claims['iss']),
    ...textClaim('subject', claims['sub']),
    ...textClaim('jti', claims['jti']),
  };
}

const textClaim = <Name extends string>(name: Name, value: unknown): { readonly [N in Name]?: string } =>
  typeof value === 'string' ? ({ [name]: value } as { [N in Name]: string }) : {};

/** `aud` is one text or a list of them (RFC 7519 section 4.1.3). */
function listOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** `scope` separated by blanks (RFC 9068, WLCG, SciTokens), or the list `scp` of other issuers. */
function scopeOf(claims: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const scope = claims['scope'] ?? claims['scp'];
  if (typeof scope === 'string') return scope.split(/\s+/).filter((one) => one !== '');
  return Array.isArray(scope) ? listOf(scope) : undefined;
}
