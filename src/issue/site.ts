import { Fault } from '../fault/fault.ts';
import type { JsonValue } from '../mint/policy.ts';
import type { IssuerUrl } from '../token/names.ts';

/** A place below the directory that is served, as its components. */
export type SitePath = readonly string[];

/** Where the files of a static issuer lie. What is fetched from where is said by RFC 8414 section 3 and OpenID Connect Discovery 4. */
export interface SitePlaces {
  readonly jwks: SitePath;
  /** Verifiers look here first; it must be there. */
  readonly metadata: SitePath;
  /** Where others look for the same; left out where something else is in the way. */
  readonly alsoMetadata: readonly SitePath[];
  readonly page: SitePath;
  /** The issuer's own directory. */
  readonly base: SitePath;
}

export type Metadata = Readonly<Record<string, JsonValue>>;

/**
 * @param servedAt the path of the web server that the directory is served at, `/` as a rule; that of the repository for a
 * project page of GitHub. Throws `usage` if the issuer's path is not below it.
 */
export function sitePlaces(url: IssuerUrl, servedAt: string): SitePlaces {
  const own = componentsOf(new URL(url).pathname, url);
  const served = componentsOf(servedAt, servedAt);
  if (served.some((component, at) => own[at] !== component)) {
    throw new Fault('usage', `a directory that is served at ${servedAt} cannot hold the issuer ${url}`, {
      hint: 'name the path that the web server serves the directory at with --served-at',
    });
  }
  const base = own.slice(served.length);
  const metadata = [...base, '.well-known', 'openid-configuration'];
  const alsoMetadata: SitePath[] = [[...base, '.well-known', 'oauth-authorization-server']];
  // The well-known word in front of the path lies at the root of the host, which is ours only if we were given that.
  if (served.length === 0 && base.length > 0) {
    alsoMetadata.push(['.well-known', 'openid-configuration', ...own]);
    alsoMetadata.push(['.well-known', 'oauth-authorization-server', ...own]);
  }
  return { jwks: [...base, 'oauth2', 'certs'], metadata, alsoMetadata, page: [...base, 'index.html'], base };
}

/** Only what a file system, a web server and a URL all read the same way. */
function componentsOf(path: string, named: string): SitePath {
  const components = path.split('/').filter((component) => component !== '');
  const odd = components.find((component) => !/^[\w~-][\w.~-]*$/.test(component));
  if (odd === undefined) return components;
  throw new Fault('usage', `${named} cannot be laid out as files: "${odd}" in its path is no plain name`);
}

/** Static hosts tell the type of a file by its ending; whoever can rewrite addresses serves these in place of the others. */
export const twinOf = (path: SitePath): SitePath => path.with(-1, `${path.at(-1)}.json`);

/** Never the double slash that an issuer with a slash at its end would give. */
export const jwksUri = (url: IssuerUrl): string => `${withoutSlash(url)}/oauth2/certs`;

export const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

/**
 * The metadata of an issuer without a server: who it is and where its keys are. Lists without elements have to be left out
 * (RFC 8414 section 3.2), so no endpoint and no grant is named. What others wrote beside it stays: endpoints of a server, say.
 */
export function metadataOf(url: IssuerUrl, others: Metadata): Metadata {
  const { issuer: _issuer, jwks_uri: _jwks, ...rest } = others;
  return { issuer: url, jwks_uri: jwksUri(url), ...rest };
}

/** The same bytes for the same facts, so that nothing changes that has not changed. */
export const jsonText = (value: JsonValue): string => `${JSON.stringify(value, null, 2)}\n`;
