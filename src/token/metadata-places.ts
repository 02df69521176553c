/**
 * Where the metadata of an issuer may be: OpenID Connect Discovery 1.0 section 4 first, which every WLCG issuer has to serve, then
 * RFC 8414 section 3, with the path after the well-known part. Slashes at the issuer's end are not doubled. Undefined for what is no URL.
 */
export function metadataPlaces(issuer: string): readonly [URL, URL] | undefined {
  if (!URL.canParse(issuer)) return undefined;
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, '');
  return [
    new URL(`${origin}${path}/.well-known/openid-configuration`),
    new URL(`${origin}/.well-known/oauth-authorization-server${path}`),
  ];
}
