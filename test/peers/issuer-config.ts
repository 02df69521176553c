/** A client that the issuer knows from the start, in the words of RFC 7591. */
export interface KnownClient {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly token_endpoint_auth_method?: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  readonly grant_types: readonly string[];
  readonly redirect_uris?: readonly string[];
  readonly response_types?: readonly string[];
  readonly scope?: string;
  readonly jwks?: { readonly keys: readonly unknown[] };
}

/** How the issuer process behaves; handed over as JSON in its only argument. Lives are in seconds. */
export interface IssuerConfig {
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Added to the issuer's URL, such as `/realm`; empty by default. */
  readonly path?: string;
  readonly accessTokenLife: number;
  readonly refreshTokenLife: number;
  readonly rotate: 'always' | 'never';
  readonly clients: readonly KnownClient[];
  readonly scopes: readonly string[];
  /** For whom tokens may be; the first is for whom they are when nobody asks. */
  readonly audiences: readonly string[];
  /** Keys, clients, logins and refresh tokens live here and outlive the process. */
  readonly stateFile?: string;
  /** People of this client who have logged in already, for all scopes of the issuer; see {@link IssuerReady.refreshTokens}. */
  readonly loggedIn?: { readonly clientId: string; readonly count: number };
  /** Answers of the token endpoint wait this long, in milliseconds. */
  readonly tokenDelay?: number;
}

/** The line the issuer process prints when it listens. */
export interface IssuerReady {
  readonly issuer: string;
  readonly port: number;
  readonly refreshTokens: readonly string[];
}
