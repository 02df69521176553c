import { Fault } from '../fault/fault.ts';
import type { IssuerUrl } from '../token/names.ts';
import { jwksUri, withoutSlash } from './site.ts';

/** Where the endpoints are, for clients, and the paths that requests for them come in by. */
export interface ServerUrls {
  readonly issuer: IssuerUrl;
  readonly jwks: string;
  readonly token: string;
  readonly introspection: string;
  readonly revocation: string;
  /** Every path that metadata is asked for by, as the router reads it. */
  readonly metadataPaths: readonly string[];
}

/**
 * Below the issuer's own path. Metadata lies where OpenID Connect Discovery 4 and RFC 8414 section 3 have it, and besides where libraries
 * look that put the well-known word behind the issuer's last slash. Throws Fault `config-invalid` for a path that cannot be served.
 */
export function serverUrls(issuer: IssuerUrl): ServerUrls {
  const own = new URL(issuer).pathname;
  // The router decodes escapes before it compares, and a star is its own.
  if (/[%*]/.test(own)) {
    throw new Fault(
      'config-invalid',
      `the issuer ${issuer} has a "%" or a "*" in its path, which the server cannot answer for`,
      {
        hint: 'serve it as a static site: tokeep issuer publish',
      },
    );
  }
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
    metadataPaths: [...new Set(metadataPaths)].map(route),
  };
}

/** The path of an endpoint, as the router reads it: a colon would begin a parameter, which is any text. */
export const routeOf = (url: string): string => route(new URL(url).pathname);

const route = (path: string): string => path.replaceAll(':', '::');
