import { dirname, join, resolve } from 'node:path';
import { knownIssuers } from '../../acquire/known-issuers.ts';
import { asClient, flowFor } from '../../acquire/login.ts';
import { fetchMetadata, type IssuerMetadata, safeEndpoint } from '../../acquire/metadata.ts';
import { readAgentAccount } from '../../acquire/oidc-agent-file.ts';
import { readSecret } from '../../config/secret-source.ts';
import { asFault, Fault } from '../../fault/fault.ts';
import type { IssuerUrl } from '../../token/names.ts';
import { Secret, type SecretKind } from '../../token/secret.ts';
import { seconds } from '../../token/time.ts';
import { demandCaFile } from '../ca-file.ts';
import type { Context } from '../context.ts';
import { askForClient } from '../login-dialogue.ts';
import type { Prompts } from '../prompts.ts';
import type { Plan, SetupOptions } from './plan.ts';

/** What asking works with. */
export interface Asking {
  readonly context: Context;
  readonly prompts: Prompts;
  readonly name: string;
  readonly options: SetupOptions;
  /** The configuration that is going to be written. */
  readonly configPath: string;
}

/** Finds out what is to be done, from the options first, from a person second. Changes nothing. */
export async function makePlan(asking: Asking): Promise<Plan> {
  const { options } = asking;
  refuseContradictions(options);
  if (options.importOidcAgent !== undefined) return await planImport(asking, resolve(options.importOidcAgent));
  const issuer = options.issuer ?? (await askIssuer(asking));
  const metadata = await metadataOf(asking, issuer, absolute(options.caFile));
  const base = { issuer: metadata.issuer, caFile: absolute(options.caFile), audience: options.audience ?? [] };
  if (options.clientCredentials) return await planClientCredentials(asking, metadata, base);
  if (options.refreshTokenFile !== undefined) {
    const token = await secretFrom(asking, options.refreshTokenFile, 'refresh_token');
    const client = await clientOf(asking, 'needed');
    return { kind: 'refresh-token', ...base, ...client, token, scope: options.scope ?? [] };
  }
  flowFor(metadata, options.flow);
  const client = await clientOf(asking, options.manual ? 'needed' : 'optional');
  const scope = options.scope ?? (await askScope(asking, metadata));
  const initial = options.initialAccessTokenFile;
  const initialAccessToken = initial === undefined ? undefined : await secretFrom(asking, initial, 'access_token');
  return { kind: 'login', ...base, ...client, scope, flow: options.flow, initialAccessToken };
}

function refuseContradictions(options: SetupOptions): void {
  const ways = {
    '--client-credentials': options.clientCredentials,
    '--refresh-token-file': options.refreshTokenFile,
    '--import-oidc-agent': options.importOidcAgent,
  };
  const given = Object.entries(ways).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    throw new Fault('usage', `${given.map(([flag]) => flag).join(' and ')} are different ways; give one of them`);
  }
  if (options.clientSecretFile !== undefined && options.clientId === undefined) {
    throw new Fault('usage', '--client-secret-file needs the --client-id it belongs to');
  }
}

const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));

const secretFrom = <K extends SecretKind>({ context }: Asking, path: string, kind: K): Promise<Secret<K>> =>
  readSecret(context.world, { kind: 'file', path: resolve(path) }, kind);

async function askIssuer({ context, prompts }: Asking): Promise<string> {
  const flag = '--issuer';
  const { issuers, left } = await knownIssuers(context.world);
  for (const fault of left) await context.detail(fault.message);
  if (issuers.length > 0) {
    const choices = issuers.map(({ issuer }) => ({ value: issuer, label: issuer }));
    const other = { value: '', label: 'another one' };
    const picked = await prompts.pick({ message: 'Issuer', flag, choices: [other, ...choices] });
    if (picked !== '') return picked;
  }
  const unfit = (answer: string) => (safeEndpoint(answer.trim()) ? undefined : 'an issuer is an https URL');
  return await prompts.text({ message: 'Issuer (as it stands in iss)', flag, unfit });
}

/** The issuer as its metadata writes it: a missing or added last slash is mended here, where it costs nothing. */
async function metadataOf({ context }: Asking, issuer: string, caFile: string | undefined): Promise<IssuerMetadata> {
  demandIssuer(issuer);
  const { world, signal } = context;
  if (caFile !== undefined) await demandCaFile(world.files, caFile);
  const request = { timeout: seconds(30), signal, ...(caFile === undefined ? {} : { caFile }) };
  const outcome = await fetchMetadata(world, { issuer: issuer as IssuerUrl, ...request });
  if (outcome.kind === 'metadata') return outcome.metadata;
  if (outcome.fault.code !== 'issuer-mismatch') throw asOfSetup(outcome.fault);
  const other = issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`;
  const again = await fetchMetadata(world, { issuer: other as IssuerUrl, ...request });
  if (again.kind === 'failed') throw outcome.fault;
  await context.say(`the issuer calls itself ${other}; that is what counts`);
  return again.metadata;
}

function demandIssuer(issuer: string): void {
  if (!URL.canParse(issuer)) throw new Fault('usage', `the issuer ${JSON.stringify(issuer)} is not a URL`);
  if (safeEndpoint(issuer)) return;
  throw new Fault('config-invalid', `the issuer ${JSON.stringify(issuer)} is not an https URL`, {
    hint: 'secrets go to https only; plain http is for an issuer on this machine',
  });
}

/** With somebody there who can name another CA, waiting for one to be trusted makes no sense. */
function asOfSetup(fault: Fault): Fault {
  if (fault.code !== 'issuer-tls') return fault;
  const hint = 'name the CAs of the issuer, in PEM form, with --ca-file FILE';
  return new Fault('config-invalid', fault.message, { hint, cause: fault });
}

async function clientOf(
  { options, prompts }: Asking,
  need: 'needed' | 'optional',
): Promise<Pick<Extract<Plan, { kind: 'login' }>, 'client' | 'given'>> {
  if (options.clientId !== undefined) {
    const secretFile = absolute(options.clientSecretFile);
    return { client: { clientId: options.clientId, secretFile }, given: undefined };
  }
  if (need === 'optional') return { client: undefined, given: undefined };
  return { client: undefined, given: await askForClient(prompts) };
}

async function planClientCredentials(
  asking: Asking,
  metadata: IssuerMetadata,
  base: Pick<Plan, 'issuer' | 'caFile' | 'audience'>,
): Promise<Plan> {
  const { options, prompts, name, configPath } = asking;
  const clientId = options.clientId ?? (await prompts.text({ message: 'Client id', flag: '--client-id' }));
  let typed: Secret<'client_secret'> | undefined;
  if (options.clientSecretFile === undefined) {
    const text = await prompts.secret({ message: 'Client secret', flag: '--client-secret-file' });
    if (text === '') throw new Fault('usage', 'a client of client_credentials has a secret; none was given');
    typed = new Secret('client_secret', text);
  }
  const file = absolute(options.clientSecretFile) ?? join(dirname(configPath), 'secrets', name);
  const { authMethod } = asClient({ clientId, clientSecret: typed ?? new Secret('client_secret', '-') }, metadata);
  return {
    kind: 'client-credentials',
    ...base,
    clientId,
    authMethod: authMethod === 'client_secret_post' ? authMethod : 'client_secret_basic',
    secret: { file, typed },
    scope: options.scope ?? [],
  };
}

const usualScopes: readonly string[] = ['openid', 'profile', 'offline_access'];

async function askScope({ prompts }: Asking, metadata: IssuerMetadata): Promise<readonly string[]> {
  const flag = '--scope';
  const offered = metadata.scopesSupported;
  if (offered === undefined || offered.length === 0) {
    const text = await prompts.text({ message: 'Scopes, separated by blanks', flag, initial: usualScopes.join(' ') });
    return text.split(/\s+/).filter(Boolean);
  }
  const initial = usualScopes.filter((scope) => offered.includes(scope));
  const choices = offered.map((scope) => ({ value: scope, label: scope }));
  return await prompts.pickMany({ message: 'Scopes that tokens may have', flag, choices, initial });
}

/** The account file is opened here, so that a wrong password is told before anything is written. */
async function planImport(asking: Asking, path: string): Promise<Plan> {
  const { context, options, prompts } = asking;
  const given = options.pwFile ?? (await prompts.text({ message: 'File with its password', flag: '--pw-file' }));
  const passwordFile = resolve(given);
  const text = await context.world.files.readText(path, 1024 * 1024).catch(() => undefined);
  if (text === undefined) throw new Fault('secret-unreadable', `the oidc-agent account file ${path} could not be read`);
  const found = await readAgentAccount(text, await secretFrom(asking, passwordFile, 'password'));
  if (found.mytokenServer !== undefined) {
    throw new Fault('usage', `${path} holds a mytoken of ${found.mytokenServer}, not a refresh token`, {
      hint: 'add an account with grant: mytoken to the configuration by hand',
    });
  }
  if (found.credential === undefined) throw new Fault('login-needed', `${path} holds no refresh token`);
  const named = options.issuer ?? found.issuer;
  if (named === undefined) throw new Fault('usage', `--issuer is missing: ${path} names none`);
  demandIssuer(named);
  const scope = (found.refreshScope ?? found.scope ?? '').split(' ').filter(Boolean);
  const caFile = absolute(options.caFile ?? found.caFile);
  const issuer = await ownNameOf(asking, named, caFile);
  return { kind: 'oidc-agent', issuer, caFile, scope, audience: options.audience ?? [], path, passwordFile };
}

/** What the issuer calls itself, since oidc-agent 4 writes a slash at its end. One that cannot be asked now keeps its name. */
async function ownNameOf(asking: Asking, named: string, caFile: string | undefined): Promise<string> {
  try {
    return (await metadataOf(asking, named, caFile)).issuer;
  } catch (thrown) {
    const fault = asFault(thrown, `asking ${named} for its name`);
    if (fault.code === 'issuer-mismatch') throw fault;
    await asking.context.warn(`${fault.message}; it is written down as ${named}`);
    return named;
  }
}
