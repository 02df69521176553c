import type { RefreshTokenAccount } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { AccountRecord, AccountSecrets } from '../store/records.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { Secret } from '../token/secret.ts';
import type { ListenOnLoopback } from '../world/loopback-listener.ts';
import type { World } from '../world/world.ts';
import type { ResolvedClientAuth } from './client-auth.ts';
import { clientOf, type ReadyClient } from './client-of.ts';
import { codeLogin, defaultPatience } from './code-login.ts';
import { deviceLogin } from './device-login.ts';
import type { Keep, LoginListener, LoginOutcome, LoginTerms } from './login-flow.ts';
import { fetchMetadata, type IssuerMetadata } from './metadata.ts';
import { type RegisteredClient, registerClient } from './registration.ts';

export type LoginFlow = 'device' | 'code';

export interface LoginWish {
  readonly account: RefreshTokenAccount;
  /** As stored; may hold a client that was registered or given before. */
  readonly record: AccountRecord | undefined;
  readonly secrets: AccountSecrets;
  /** Default: the device flow where there is one, since it needs no browser on this machine. */
  readonly flow: LoginFlow | undefined;
  readonly scope: readonly string[];
  readonly audience: LoginTerms['audience'];
  /** For a client that has to be registered: its name, and what lets it in. */
  readonly clientName: string;
  readonly initialAccessToken?: Secret<'access_token'>;
  /** Takes the place of a stored client, and none is registered. */
  readonly given?: GivenClient;
  readonly signal: AbortSignal;
}

/** A client that somebody gave, because it cannot be registered or should not be. */
export interface GivenClient {
  readonly clientId: string;
  readonly clientSecret: RegisteredClient['clientSecret'];
}

/** What a login needs of those who start it. */
export interface LoginHost {
  readonly listen: ListenOnLoopback;
  readonly tell: LoginListener;
  /** The client could not be registered, for this reason. Throws when there is nobody to ask. */
  askForClient(why: Fault): Promise<GivenClient>;
  /** Makes a new client durable, before anybody logs in with it. */
  keepClient(issuer: IssuerUrl, client: RegisteredClient): Promise<void>;
  readonly keep: Keep;
}

/** Runs a login to its end. Throws for what stands in its way before anybody was asked to log in. */
export async function login(world: World, wish: LoginWish, host: LoginHost): Promise<LoginOutcome> {
  const metadata = await metadataOf(world, wish);
  const flow = flowFor(metadata, wish.flow);
  const client = await clientFor(world, wish, host, metadata);
  const { account } = wish;
  const terms: LoginTerms = {
    ...client,
    issuer: metadata.issuer,
    tokenEndpoint: metadata.tokenEndpoint,
    scope: wish.scope,
    audience: wish.audience,
    timeout: account.timeout,
    signal: wish.signal,
    ...(account.caFile === undefined ? {} : { caFile: account.caFile }),
  };
  if (flow.kind === 'device') {
    return await deviceLogin(world, { ...terms, deviceEndpoint: flow.endpoint }, host.tell, host.keep);
  }
  const issInRedirect = metadata.authorizationResponseIss === true;
  const code = { ...terms, authorizationEndpoint: flow.endpoint, issInRedirect, patience: defaultPatience };
  return await codeLogin(world, host.listen, code, host.tell, host.keep);
}

async function metadataOf(world: World, { account, record, signal }: LoginWish): Promise<IssuerMetadata> {
  const issuer = account.issuer.kind === 'discovered' ? account.issuer.issuer : record?.client?.issuer;
  if (issuer === undefined) {
    throw new Fault('config-invalid', `account ${account.name} names no issuer to log in at`, {
      hint: 'give it issuer: https://… in the configuration',
    });
  }
  const { timeout, caFile } = account;
  const outcome = await fetchMetadata(world, {
    issuer: issuer as IssuerUrl,
    timeout,
    signal,
    ...(caFile === undefined ? {} : { caFile }),
  });
  if (outcome.kind === 'failed') throw outcome.fault;
  return outcome.metadata;
}

/** Which login the issuer offers. */
export function flowFor(
  metadata: IssuerMetadata,
  wished: LoginFlow | undefined,
): { readonly kind: LoginFlow; readonly endpoint: string } {
  const endpoints = { device: metadata.deviceAuthorizationEndpoint, code: metadata.authorizationEndpoint };
  const order: readonly LoginFlow[] = wished === undefined ? ['device', 'code'] : [wished];
  for (const kind of order) {
    const endpoint = endpoints[kind];
    if (endpoint !== undefined) return { kind, endpoint };
  }
  const what = wished === undefined ? 'neither device nor code login' : `no ${wished} login`;
  const other = wished === 'device' ? '--flow code' : '--flow device';
  throw new Fault('issuer-unsupported', `${metadata.issuer} offers ${what}`, {
    hint: wished === undefined ? 'take over a refresh token with --refresh-token-file' : `try ${other}`,
  });
}

/** The client of the configuration, else the stored one, else a new one: registered, or given by somebody. */
async function clientFor(
  world: World,
  wish: LoginWish,
  host: LoginHost,
  metadata: IssuerMetadata,
): Promise<ReadyClient> {
  const { account, record, secrets } = wish;
  const stored = wish.given === undefined && record?.client?.issuer === metadata.issuer;
  if (account.client !== undefined || stored) {
    return await clientOf(world, account, record, secrets);
  }
  const client = await newClient(world, wish, host, metadata);
  await host.keepClient(metadata.issuer, client);
  return { clientId: client.clientId, auth: authOf(client) };
}

async function newClient(
  world: World,
  wish: LoginWish,
  host: LoginHost,
  metadata: IssuerMetadata,
): Promise<RegisteredClient> {
  const { account, scope, clientName, signal, initialAccessToken, given } = wish;
  if (given !== undefined) return asClient(given, metadata);
  const outcome = await registerClient(world, {
    metadata,
    clientName,
    scope,
    timeout: account.timeout,
    signal,
    ...(account.caFile === undefined ? {} : { caFile: account.caFile }),
    ...(initialAccessToken === undefined ? {} : { initialAccessToken }),
  });
  if (outcome.kind === 'registered') return outcome.client;
  return asClient(await host.askForClient(outcome.fault), metadata);
}

/** How a given client proves itself: the way the issuer takes, with Basic first (RFC 6749 section 2.3.1). */
export function asClient({ clientId, clientSecret }: GivenClient, metadata: IssuerMetadata): RegisteredClient {
  const methods = metadata.tokenEndpointAuthMethodsSupported;
  const postOnly = methods?.includes('client_secret_post') && !methods.includes('client_secret_basic');
  const authMethod = clientSecret === undefined ? 'none' : postOnly ? 'client_secret_post' : 'client_secret_basic';
  const unknown = { scope: undefined, registrationToken: undefined, registrationUri: undefined };
  return { clientId, clientSecret, authMethod, ...unknown };
}

/** How a client proves itself with the secret at hand. */
export function authOf({ authMethod, clientSecret: secret }: RegisteredClient): ResolvedClientAuth {
  if (secret === undefined) return { kind: 'none' };
  if (authMethod === 'client_secret_post') return { kind: 'client_secret_post', secret };
  return { kind: 'client_secret_basic', secret, encoding: 'form' };
}
