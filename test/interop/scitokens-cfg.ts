export interface SciTokensConfig {
  readonly audience: string;
  readonly issuer: string;
  readonly basePath: string;
  /** What XRootD does when a token allows nothing: refuse, or ask its authdb. */
  readonly onmissing: 'deny' | 'passthrough';
}

/** The text of an XRootD scitokens.cfg that trusts one issuer. */
export const scitokensCfg = ({ audience, issuer, basePath, onmissing }: SciTokensConfig): string => `
[Global]
audience = ${audience}
onmissing = ${onmissing}

[Issuer vo]
issuer = ${issuer}
base_path = ${basePath}
map_subject = false
default_user = vouser
`;
