import { hostname } from 'node:os';
import { type DeviceTerms, deviceLogin } from '../../acquire/device-login.ts';
import { type KnownIssuer, knownIssuers } from '../../acquire/known-issuers.ts';
import { asClient, authOf, flowFor } from '../../acquire/login.ts';
import type { Gain, LoginEvent } from '../../acquire/login-flow.ts';
import { fetchMetadata, type IssuerMetadata } from '../../acquire/metadata.ts';
import { AgentAccount, writeAgentAccount } from '../../acquire/oidc-agent-file.ts';
import type { RegisteredClient } from '../../acquire/registration.ts';
import { osgAccountSection } from '../../config/init-section.ts';
import { agentDirectory } from '../../config/oidc-agent-home.ts';
import { Fault } from '../../fault/fault.ts';
import type { IssuerUrl } from '../../token/names.ts';
import { Secret } from '../../token/secret.ts';
import { seconds } from '../../token/time.ts';
import type { Context } from '../context.ts';
import type { LinePrompts } from '../line-prompts.ts';
import { replaceText } from '../replace-text.ts';
import { agentRedirects, registerAgentClient } from './agent-client.ts';
import { agentDocument } from './agent-document.ts';
import type { OsgSetupOptions } from './arguments.ts';

type Password = Secret<'password'>;
type Talk = Pick<Asking, 'context' | 'prompts'>;

interface Asking {
  readonly context: Context;
  readonly prompts: LinePrompts;
  readonly options: OsgSetupOptions;
}

/** The version whose file format and members are written. */
const agentVersion = '5.3.3';
const usualScopes = 'openid profile offline_access';

/** The dialogue of oidc-gen in its old order, since scripts feed it; it ends in an account file and a section to add. */
export async function setUpOidc(asking: Asking, password: Password): Promise<void> {
  const { context, prompts, options } = asking;
  const path = await accountPath(context, options.name);
  if (options.manual) await tellBeginning(context, path);
  const known = await askIssuer(asking);
  const metadata = await metadataOf(context, known.issuer);
  const { endpoint: deviceEndpoint } = flowFor(metadata, 'device');
  const given = options.manual ? await askClient(prompts, metadata) : undefined;
  const scope = await askScope(asking, metadata);
  const typed = options.manual ? words(await prompts.line('Redirect_uris (space separated): ')) : agentRedirects;
  const { client, shared, redirects } = given
    ? { client: given, shared: false, redirects: typed }
    : await newClient(asking, metadata, known, scope);
  await context.print('Generating account configuration ...');
  const terms: DeviceTerms = {
    issuer: metadata.issuer,
    tokenEndpoint: metadata.tokenEndpoint,
    deviceEndpoint,
    clientId: client.clientId,
    auth: authOf(client),
    scope,
    audience: [],
    timeout: seconds(30),
    signal: context.signal,
  };
  const keep = async ({ credential }: Gain) => {
    if (credential.kind !== 'refresh_token') return;
    const account = { name: options.name, host: hostname(), issuer: metadata.issuer, deviceEndpoint, client, scope };
    const document = agentDocument({
      ...account,
      sharedClient: shared,
      refreshToken: credential,
      redirectUris: redirects,
    });
    await writeAccount(context, path, new AgentAccount(document, agentVersion), password);
  };
  const outcome = await deviceLogin(context.world, terms, tellOn(context), keep);
  if (outcome.kind === 'not-logged-in') throw outcome.fault;
  await context.print('Everything setup correctly!\n');
  await context.say(`Add this account to /etc/osg/token-renewer/config.ini, and token sections that use it:\n`);
  await context.print(osgAccountSection({ kind: 'oidc', name: options.name, passwordFile: options.pwFile }));
}

async function accountPath({ world }: Context, name: string): Promise<string> {
  const directory = await agentDirectory(world);
  if (directory !== undefined) return `${directory}/${name}`;
  throw new Fault('usage', 'there is no home directory to keep the account in', {
    hint: 'set HOME or OIDC_CONFIG_DIR',
  });
}

async function tellBeginning(context: Context, path: string): Promise<void> {
  const exists = (await context.world.files.look(path)) !== undefined;
  const found = exists
    ? 'An account exists with this short name; it will be replaced.'
    : 'No account exists with this short name.';
  await context.print(`${found} Creating new configuration ...`);
}

const words = (text: string): readonly string[] => text.split(/\s+/).filter(Boolean);

type ChosenIssuer = Pick<KnownIssuer, 'issuer' | 'publicClient'>;

async function askIssuer({ context, prompts }: Talk): Promise<ChosenIssuer> {
  const { issuers, left } = await knownIssuers(context.world);
  for (const fault of left) await context.warn(`warning: ${fault.message}`);
  for (const [index, { issuer }] of issuers.entries()) await context.print(`[${index + 1}] ${issuer}`);
  const first = issuers[0];
  const answer = await prompts.line(first === undefined ? 'Issuer: ' : `Issuer [${first.issuer}]: `);
  if (answer === '' && first !== undefined) return first;
  const byNumber = /^\d{1,4}$/.test(answer) ? issuers[Number(answer) - 1] : undefined;
  const chosen = byNumber ?? issuers.find(({ issuer }) => issuer === answer);
  return chosen ?? { issuer: answer, publicClient: undefined };
}

async function metadataOf({ world, signal }: Context, issuer: string): Promise<IssuerMetadata> {
  const outcome = await fetchMetadata(world, { issuer: issuer as IssuerUrl, timeout: seconds(30), signal });
  if (outcome.kind === 'failed') throw outcome.fault;
  return outcome.metadata;
}

async function askClient(prompts: LinePrompts, metadata: IssuerMetadata): Promise<RegisteredClient> {
  const clientId = await prompts.line('Client_id: ');
  const secret = await prompts.hidden('Client_secret: ');
  if (clientId === '') throw new Fault('usage', 'a client has an id');
  const clientSecret = secret === '' ? undefined : new Secret('client_secret', secret);
  return asClient({ clientId, clientSecret }, metadata);
}

async function askScope({ context, prompts }: Talk, metadata: IssuerMetadata): Promise<readonly string[]> {
  const supported = metadata.scopesSupported ?? [];
  if (supported.length > 0) await context.print(`The following scopes are supported: ${supported.join(' ')}`);
  const answer = await prompts.line(`Scopes or 'max' (space separated) [${usualScopes}]: `);
  if (answer === 'max' && supported.length > 0) return supported;
  return words(answer === '' || answer === 'max' ? usualScopes : answer);
}

interface AccountClient {
  readonly client: RegisteredClient;
  /** It is the one that oidc-agent's settings share among all its users. */
  readonly shared: boolean;
  readonly redirects: readonly string[];
}

/** Registered, else the one that oidc-agent's settings share among all its users. */
async function newClient(
  { context, options }: Asking,
  metadata: IssuerMetadata,
  known: ChosenIssuer,
  scope: readonly string[],
): Promise<AccountClient> {
  await context.print('Registering Client ...');
  const clientName = `tokeep:${options.name}-${hostname()}`;
  const { world, signal } = context;
  const terms = { metadata, clientName, scope, timeout: seconds(30), signal };
  const { outcome, redirects } = await registerAgentClient(world, terms);
  if (outcome.kind === 'registered') return { client: outcome.client, shared: false, redirects };
  const shared = known.publicClient;
  if (shared !== undefined) return { client: asClient(shared, metadata), shared: true, redirects: agentRedirects };
  throw new Fault(outcome.fault.code, outcome.fault.message, {
    hint: 'have a client made by the issuer, and use --manual to give its id and secret',
  });
}

async function writeAccount(context: Context, path: string, account: AgentAccount, password: Password): Promise<void> {
  const { world } = context;
  const text = await writeAgentAccount(account, password, world.random);
  await world.files.makeDirectories(path.slice(0, path.lastIndexOf('/')), 0o700);
  await replaceText(world, path, text, { mode: 0o600, owner: world.user.uid, group: world.user.gid });
}

/** In oidc-gen's words, on stdout, where scripts look for the page to open. */
function tellOn({ io }: Context): (event: LoginEvent) => void {
  const say = (text: string) => void io.stdout.write(`${text}\n`).catch(() => {});
  return (event) => {
    if (event.kind === 'hiccup') void io.stderr.write(`${event.sentence}; asking again\n`).catch(() => {});
    if (event.kind !== 'visit') return;
    say(`accepted\n\nUsing a browser on any device, visit:\n${event.url}\n\nAnd enter the code: ${event.userCode}`);
    if (event.complete !== undefined) say(`Alternatively you can use the following link:\n${event.complete}`);
    if (io.stdout.isTTY) say(`\n${event.qr}`);
  };
}
