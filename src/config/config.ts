import type { FaultCode } from '../fault/codes.ts';
import type { AccountName, Audience, IssuerUrl, Scope, WishName } from '../token/names.ts';
import type { Epoch, Millis } from '../token/time.ts';

/** Where in which file something stands; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A secret by reference; it is read when it is needed, by `config/secret-source.ts`. */
export type SecretRef =
  /** `member`: the file is a JSON object, and the secret this text of it (HTCondor's `.top` and `.meta`); else it is the first line. */
  | { readonly kind: 'file'; readonly path: string; readonly member?: string }
  | { readonly kind: 'credential'; readonly name: string }
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  /** Only OSG's `client_secret` stands in the file itself; it is wrapped as soon as it is parsed. */
  | { readonly kind: 'inline'; readonly secret: import('../token/secret.ts').ClientSecret };

export type ClientAuth =
  | { readonly kind: 'none' }
  /** `encoding: raw` is OSG's renewer; `form` is RFC 6749 section 2.3.1 with only what appendix B needs. */
  | { readonly kind: 'client_secret_basic'; readonly secret: SecretRef; readonly encoding: 'form' | 'raw' }
  | { readonly kind: 'client_secret_post'; readonly secret: SecretRef }
  | { readonly kind: 'private_key_jwt'; readonly key: SecretRef; readonly keyId?: string; readonly algorithm?: string };

/** How an issuer is told for whom a token is: the WLCG parameter, RFC 8707, both, or found out (docs/config.md). */
export type AudienceStyle = 'audience' | 'resource' | 'both' | 'auto';

/** Where the token endpoint is learnt from. */
export type IssuerRef =
  | { readonly kind: 'discovered'; readonly issuer: IssuerUrl }
  /** OSG's `token_request_url`: no metadata, and no issuer to compare a token's `iss` with. */
  | { readonly kind: 'token-endpoint'; readonly url: string }
  /** Learnt from somewhere else at run time (an oidc-agent account file). */
  | { readonly kind: 'of-credential' };

interface AccountBase {
  readonly name: AccountName;
  readonly at: Position;
  readonly issuer: IssuerRef;
  readonly audienceStyle: AudienceStyle;
  readonly caFile?: string;
  /** What the owner says a refresh token lives (docs/config.md `refresh_lifetime`). */
  readonly refreshLifetime?: Millis;
  /**
   * What a person does to bring a new credential, where `tokeep account login` is not the way: it lies outside the store then, and is taken
   * over at the first renewal (room condor/).
   */
  readonly newLogin?: string;
  readonly timeout: Millis;
  /** Changes when anything that matters to the issuer changes: then old failures say nothing any more. */
  readonly fingerprint: string;
}
interface WithClient {
  readonly clientId: string;
  readonly clientAuth: ClientAuth;
}

export interface ClientCredentialsAccount extends AccountBase, WithClient {
  readonly grant: 'client_credentials';
}
export interface RefreshTokenAccount extends AccountBase {
  readonly grant: 'refresh_token';
  /** Absent: the client was registered by `tokeep setup` and lies in the store with the refresh token. */
  readonly client?: WithClient;
  /** Taken over from oidc-agent at the first renewal; successors are written back (docs/migrate-from-osg-token-renewer.md). */
  readonly oidcAgentFile?: { readonly path: string; readonly password: SecretRef };
}
export interface OidcAgentAccount extends AccountBase {
  readonly grant: 'oidc_agent';
  /** The agent's own name for the account. */
  readonly shortname: string;
  /** Default: `OIDC_SOCK`, then the service's socket. */
  readonly socket?: string;
}
export interface MytokenAccount extends AccountBase {
  readonly grant: 'mytoken';
  readonly server: string;
  /** The first mytoken; once rotated, the successor in the store leads. */
  readonly mytoken: SecretRef;
}
export interface VaultAccount extends AccountBase {
  readonly grant: 'vault';
  readonly server: string;
  /** Such as `secret/oauth/creds/demo/alice:default`, without `/v1/`. */
  readonly secretPath: string;
  readonly vaultToken: SecretRef;
}
export interface TokenExchangeAccount extends AccountBase, WithClient {
  readonly grant: 'token_exchange';
  /** The wish whose token is the subject_token (RFC 8693 section 2.1). */
  readonly subject: WishName;
}
/** Signs with the keys of an issuer of our own (room mint/). */
export interface SigningKeyAccount extends AccountBase {
  readonly grant: 'signing_key';
  /** The issuer's directory. */
  readonly keys: string;
  /** If named it must be the issuer's own. */
  readonly profile?: 'wlcg' | 'scitokens' | 'at+jwt';
}
/** Makes IDTOKENS of HTCondor with a signing key of a pool (room mint/). */
export interface IdtokenAccount extends AccountBase {
  readonly grant: 'idtoken';
  /** TRUST_DOMAIN of the pool, to the letter. */
  readonly trustDomain: string;
  readonly key: Extract<SecretRef, { kind: 'file' | 'credential' }>;
  /** The name of the key; `POOL` is the pool's own. */
  readonly keyId: string;
}
/** Somebody else brings its tokens; never from a configuration file (room condor/). */
export interface HeldTokenAccount extends AccountBase {
  readonly grant: 'held_token';
  readonly token: SecretRef;
  /** What was said beside the token; a token that is a JWT says it itself. */
  readonly expiresAt?: Epoch;
}
export type Account =
  | ClientCredentialsAccount
  | RefreshTokenAccount
  | OidcAgentAccount
  | MytokenAccount
  | VaultAccount
  | TokenExchangeAccount
  | SigningKeyAccount
  | IdtokenAccount
  | HeldTokenAccount;
export type GrantName = Account['grant'];

/** `blank` is oidc-agent's single blank: ask for no scope by name, take what the issuer gives. `absent` sends no parameter. */
export type ScopeWish =
  | { readonly kind: 'scopes'; readonly scopes: readonly Scope[] }
  | { readonly kind: 'blank' }
  | { readonly kind: 'absent' };

/** How an ini file's audience or scope was written is kept, since OSG sends the raw value as one parameter. */
export interface AudienceWish {
  readonly audiences: readonly Audience[];
  readonly raw?: string;
}

interface TargetBase {
  /** Stable name of the target within its wish, such as `file:/run/tokeep/a.token`. */
  readonly id: string;
}
export interface FileTarget extends TargetBase {
  readonly kind: 'file';
  readonly path: string;
  readonly owner?: string;
  readonly group?: string;
  /** Permission bits; never any of 0o007. */
  readonly mode: number;
  /** `keep`: an existing file keeps its owner, group, mode and ACL (OSG's ini). */
  readonly existing: 'set' | 'keep';
  /** Written in place instead of renamed over, for bind-mounted single files. */
  readonly inPlace: boolean;
}
export interface DiscoveryTarget extends TargetBase {
  readonly kind: 'discovery';
  readonly user: string;
  readonly purpose?: string;
}
export interface ExecTarget extends TargetBase {
  readonly kind: 'exec';
  readonly argv: readonly string[];
  readonly hands: 'stdin' | 'file';
  readonly timeout: Millis;
}
/** A user's credential at an access point of HTCondor, pushed with condor_store_cred. */
export interface HtcondorTarget extends TargetBase {
  readonly kind: 'htcondor';
  /** The owner of the jobs, with or without `@domain`. */
  readonly user: string;
  readonly service: string;
  readonly handle?: string;
  /** condor_store_cred by its absolute path; where packages put it, if not told. */
  readonly program?: string;
  /** CREDD_HOST, for an access point that is not this host. */
  readonly credd?: string;
  /** CONDOR_CONFIG, for a pool whose configuration is not in /etc/condor. */
  readonly condorConfig?: string;
  readonly timeout: Millis;
}
/** `<user>/<name>.use` in HTCondor's credential directory: what a job of this user gets. Only the credmon has such targets. */
export interface UseTarget extends TargetBase {
  readonly kind: 'use';
  /** The credential directory. */
  readonly directory: string;
  readonly user: string;
  /** `<provider>` or `<provider>_<handle>`. */
  readonly name: string;
  /** `text`: the token and a line end, as vault credentials and TOKEN_USE_JSON = false have it. */
  readonly form: 'json' | 'text';
  /** 0o400, which every shadow takes. */
  readonly mode: number;
}
export type Target = FileTarget | DiscoveryTarget | ExecTarget | HtcondorTarget | UseTarget;
export type TargetKind = Target['kind'];

export interface Wish {
  readonly name: WishName;
  readonly at: Position;
  readonly account: AccountName;
  readonly audience: AudienceWish;
  readonly scope: ScopeWish;
  /** Asked for beside what is wanted: a token without them is none the worse. */
  readonly extraScopes?: readonly Scope[];
  /** Asked of grants that can choose (token_exchange, signing_key). */
  readonly lifetime?: Millis;
  readonly subject?: string;
  /** What a consumer needs at least; a deadline for renewal. */
  readonly minLifetime?: Millis;
  /** `each-pass`: OSG's ini without min_lifetime wants a new token in every one-pass run. */
  readonly freshness: 'due-point' | 'each-pass';
  readonly targets: readonly Target[];
  /** Changes when the token asked for changes (account, audience, scope, subject, lifetime), not with its targets. */
  readonly fingerprint: string;
}

export interface IssuerLimits {
  /** Requests under way at a time. */
  readonly concurrency: number;
  /** Requests per second, as a token bucket of one second. */
  readonly perSecond: number;
}
export const defaultIssuerLimits: IssuerLimits = { concurrency: 4, perSecond: 100 };

export type StoreChoice =
  | { readonly kind: 'sqlite' }
  | { readonly kind: 'postgres'; readonly url: SecretRef; readonly caFile?: string };

export type NotifyChannel =
  | {
      readonly kind: 'mail';
      readonly to: readonly string[];
      readonly from: string;
      readonly host: string;
      readonly port: number;
      readonly tls: 'starttls' | 'implicit' | 'none';
      readonly login?: { readonly user: string; readonly password: SecretRef };
    }
  | {
      readonly kind: 'webhook';
      readonly url: string;
      readonly form: 'json' | 'slack';
      readonly caFile?: string;
      readonly bearer?: SecretRef;
    }
  | { readonly kind: 'command'; readonly argv: readonly string[]; readonly timeout: Millis };
export interface NotifyRule {
  readonly name: string;
  readonly channel: NotifyChannel;
  /** Which accounts and wishes; empty means all. Names may end in `*`. */
  readonly only: readonly string[];
}

/** An error or warning of the configuration; a section with an error is left out, the others go on. */
export interface ConfigFinding {
  readonly severity: 'error' | 'warning';
  readonly code: FaultCode;
  readonly at: Position;
  readonly message: string;
  /** The nearest known key or name. */
  readonly didYouMean?: string;
  /** The section left out because of it, such as `tokens.monitoring`. */
  readonly section?: string;
  /** What helps, where it is no line of a file that `config check` reads. */
  readonly hint?: string;
}

/** The whole configuration, whatever file format it came from. */
export interface Config {
  readonly format: 'yaml' | 'ini';
  readonly file: string;
  readonly accounts: ReadonlyMap<AccountName, Account>;
  readonly wishes: ReadonlyMap<WishName, Wish>;
  readonly notify: readonly NotifyRule[];
  readonly limits: IssuerLimits;
  readonly issuerLimits: ReadonlyMap<string, IssuerLimits>;
  readonly store: StoreChoice;
  /** With a passphrase the sealing key is derived from it; else it lies in a file of its own. */
  readonly seal?: { readonly passphrase: SecretRef };
  /** The state directory, if the file names one; `--state` is stronger. */
  readonly stateDir?: string;
  /** A second spool directory, on another file system. */
  readonly spool?: string;
  readonly metrics?: { readonly listen?: string; readonly textfile?: string };
  readonly findings: readonly ConfigFinding[];
  /** Accounts and wishes are what users stored at an access point of HTCondor: nobody who runs tokeep wrote them down, and most are a user's to mend. */
  readonly ofUsers?: true;
}
