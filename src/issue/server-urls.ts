import type { IssuerUrl } from '../token/names.ts';
import { jwksUri, withoutSlash } from './site.ts';

/** Where the endpoints are, for clients, and the paths that requests for them come in by. */
export interface ServerUrls {
  readonly issuer: IssuerUrl;
  readonly jwks: string;
  readonly token: string;
  readonly introspection: string;
  readonly revocation: string;
  /** Every path that metadata is asked for by. */
  readonly metadataPaths: readonly string[];
}

/**
 * Below the issuer's own path. Metadata lies where OpenID Connect Discovery 4 and RFC 8414 section 3 have it, and besides where libraries
 * look that put the well-known word behind the issuer's last slash.
 */
export function serverUrls(issuer: IssuerUrl): ServerUrls {
  const own = new URL(issuer).pathname;
  const base = withoutSlash(own);
  const metadataPaths = [
    ...[base, ...(own.endsWith('/') ? [`${base}/`] : [])].flatMap((prefix) => [
      `${prefix}/.well-known/openid-configuration`,
      `${prefix}/.well-known/oauth-authorization-server`,
    ]),
    `/.well-known/openid-configuration${base}`,
    `/.well-known/oauth-authorization-server${base}`,
  ];
  const at = (path: string) => `${withoutSlash(issuer)}/${path}`;
  return {
    issuer,
    jwks: jwksUri(issuer),
    token: at('token'),
    introspection: at('introspect'),
    revocation: at('revoke'),
    metadataPaths: [...new Set(metadataPaths)],
  };
}

export const pathOf = (url: string): string => new URL(url).pathname;
