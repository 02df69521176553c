import type { SecretRef } from '../config/config.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { Millis } from '../token/time.ts';

/** How tokens of a provider are got: who owns the name, in the order condor_credd sorts names (HTCondor manual, "Credential monitors"). */
export type ProviderKind = 'local' | 'client' | 'oauth2' | 'vault' | 'mytoken';

/** `<SVC>_*`: an OAuth 2.0 client of the access point. */
export interface OAuth2Provider {
  readonly provider: string;
  readonly clientId: string;
  /** `_CLIENT_SECRET_FILE`; absent for a public client. */
  readonly clientSecret?: SecretRef;
  readonly tokenUrl: string;
  readonly authorizationUrl?: string;
  readonly userUrl?: string;
  readonly returnUrlSuffix?: string;
  /** `<SVC>_ISSUER` (ours): endpoints from its metadata, and what `iss` has to be. */
  readonly issuer?: IssuerUrl;
}

/** The template of scopes that the local issuer and client credentials share. */
export interface AuthzTemplate {
  /** Scopes separated by blanks, with `{username}`. */
  readonly template: string;
  /** A ClassAd expression whose result is appended. */
  readonly expression?: string;
  /** Appended once per group, with `{groupname}`. */
  readonly groupTemplate?: string;
  readonly groupMapfile?: string;
  /** Groups one of which a user must be in. */
  readonly groupRequirement?: string;
}

/** `LOCAL_CREDMON[_<PROVIDER>]_*`. */
export interface LocalProvider {
  readonly provider: string;
  readonly privateKey: string;
  readonly publicKey: string;
  readonly keyId: string;
  readonly algorithm: 'ES256' | 'RS256';
  readonly issuer: string;
  readonly lifetime: Millis;
  readonly audience: readonly string[];
  /** TOKEN_VERSION as written. */
  readonly version: string;
  readonly profile: 'scitokens' | 'wlcg';
  /** TOKEN_USE_JSON: `.use` is JSON, else the bare token. */
  readonly json: boolean;
  readonly authz: AuthzTemplate;
}

/** `CLIENT_CREDMON[_<PROVIDER>]_*`. */
export interface ClientProvider {
  readonly provider: string;
  readonly clientId: string;
  readonly clientSecret?: SecretRef;
  readonly issuer?: IssuerUrl;
  readonly tokenUrl?: string;
  readonly audience: readonly string[];
  readonly authz: AuthzTemplate;
}

export interface WebSettings {
  /** CREDMON_WEB_PREFIX, without a last slash; `https://<fqdn>` if unset. */
  readonly prefix: string;
  /** TOKEEP_WEB_LISTEN: `127.0.0.1:8443`, or `unix:/path`. */
  readonly listen: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly trustedProxies: readonly string[];
  /** TOKEEP_WEB_LOGIN: who may confirm a login. */
  readonly login:
    | { readonly kind: 'none' }
    /** A login is asked for, but its settings are wrong (a finding says how): nobody can confirm anything. */
    | { readonly kind: 'closed' }
    /** A reverse proxy names the user in this header; believed from trusted proxies only. */
    | { readonly kind: 'proxy'; readonly header: string }
    | {
        readonly kind: 'oidc';
        readonly issuer: IssuerUrl;
        readonly clientId: string;
        readonly clientSecret?: SecretRef;
        readonly scope: string;
        /** The claim that holds the local user; its part before `@` if `stripDomain`. */
        readonly claim: string;
        readonly stripDomain: boolean;
        /** A mapfile in HTCondor's form (`* principal user`), where the claim is not the local user itself. */
        readonly mapfile?: string;
      };
  /** CREDMON_WEB_LOG; stderr without it. */
  readonly log?: string;
  /** TOKEEP_WEB_USER, default condor. */
  readonly user: string;
  /** TOKEEP_WEB_STATE: sessions and pins. */
  readonly state: string;
  /** The name of the access point, for people. */
  readonly host: string;
}

/** Something about the configuration that a person should see; the rest goes on. */
export interface SettingsFinding {
  readonly severity: 'error' | 'warning';
  /** The knob, as HTCondor spells it. */
  readonly knob: string;
  /** A sentence that names the knob. */
  readonly message: string;
  readonly hint?: string;
}

/** HTCondor's configuration as far as it concerns us, read. */
export interface CredmonSettings {
  /** SEC_CREDENTIAL_DIRECTORY_OAUTH, else SEC_CREDENTIAL_DIRECTORY. */
  readonly directory: string;
  /** TRUST_CREDENTIAL_DIRECTORY: the shadow does not look at owner and mode of `.use`. */
  readonly trustDirectory: boolean;
  /** SEC_CREDENTIAL_REFRESH: jobs get a new token this late at most; 0 when they never look again. */
  readonly refreshInJobs: Millis;
  /** TOKEEP_USE_JSON: false makes every `.use` the bare token, so that BEARER_TOKEN_FILE can name it as it is. */
  readonly json: boolean;
  /** CREDMON_ALLOW_SPECIAL_CHAR_NAMES. */
  readonly specialNames: boolean;
  /** CREDMON_OAUTH_LOG. */
  readonly log?: string;
  /** TOKEEP_CREDMON_STATE. */
  readonly state: string;
  /** TOKEEP_CREDMON_CONFIG: a tokeep configuration whose `notify`, `limits`, `seal` and `metrics` hold here, too. */
  readonly config?: string;
  /** TOKEEP_CREDMON_NETWORK_USER: who the network process runs as, where we are root. */
  readonly networkUser: string;
  /** Whose a name is; undefined: nobody's of ours, it is left alone. `top` is what its `.top` looks like, where it is there. */
  kindOf(provider: string, top?: 'vault' | 'mytoken' | 'oauth2' | 'other'): ProviderKind | undefined;
  oauth2(provider: string): OAuth2Provider | undefined;
  local(provider: string): LocalProvider | undefined;
  client(provider: string): ClientProvider | undefined;
  /** Names that stand in lists; for keys to be made at the start, and for the page of keys. */
  readonly localProviders: readonly string[];
  readonly vault: {
    /** TRUSTED_VAULT_HOSTS, each `host` or `host:port`, in lower case; see `trustsVault`. Undefined if unset: nobody is trusted then, and a condition says so. */
    readonly hosts: readonly string[] | undefined;
    /** CREDMON_OAUTH_TOKEN_MINIMUM. */
    readonly minimum: Millis;
    /** AUTH_SSL_CLIENT_CAFILE. */
    readonly caFile?: string;
  };
  readonly mytoken: {
    /** TOKEEP_MYTOKEN_SERVERS: `https://host`, to the letter of their origins; undefined if unset. */
    readonly servers: readonly string[] | undefined;
    readonly caFile?: string;
  };
  readonly web: WebSettings;
  readonly findings: readonly SettingsFinding[];
}
