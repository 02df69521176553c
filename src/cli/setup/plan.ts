import { join } from 'node:path';
import type { GivenClient, LoginFlow } from '../../acquire/login.ts';
import type { AccountKeys } from '../../config/init-section.ts';
import type { ClientSecret, RefreshToken, Secret } from '../../token/secret.ts';
import type { World } from '../../world/world.ts';

/** What the options of `tokeep setup` say; what they leave open is asked. */
export interface SetupOptions {
  readonly issuer?: string;
  readonly clientId?: string;
  readonly clientSecretFile?: string;
  readonly scope?: readonly string[];
  readonly audience?: readonly string[];
  readonly refreshTokenFile?: string;
  readonly pwFile?: string;
  readonly caFile?: string;
  readonly initialAccessTokenFile?: string;
  readonly yes?: true;
  readonly manual?: true;
  readonly clientCredentials?: true;
  readonly importOidcAgent?: string;
  readonly flow?: LoginFlow;
  readonly user?: string;
}

interface PlanBase {
  readonly issuer: string;
  readonly caFile: string | undefined;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
}

/** A client that stands in the configuration, with its secret in a file of its own; or a public one. */
export interface ConfiguredByFile {
  readonly clientId: string;
  readonly secretFile: string | undefined;
}

/** What `tokeep setup` is going to do, once everything is known. */
export type Plan =
  | (PlanBase & {
      readonly kind: 'client-credentials';
      readonly clientId: string;
      readonly authMethod: 'client_secret_basic' | 'client_secret_post';
      /** A typed secret goes into a file that is written next to the configuration. */
      readonly secret: { readonly file: string; readonly typed: ClientSecret | undefined };
    })
  | (PlanBase & {
      readonly kind: 'login';
      readonly client: ConfiguredByFile | undefined;
      /** Typed, and kept in the store. */
      readonly given: GivenClient | undefined;
      readonly flow: LoginFlow | undefined;
      readonly initialAccessToken: Secret<'access_token'> | undefined;
    })
  | (PlanBase & {
      readonly kind: 'refresh-token';
      readonly client: ConfiguredByFile | undefined;
      readonly given: GivenClient | undefined;
      readonly token: RefreshToken;
    })
  | (PlanBase & { readonly kind: 'oidc-agent'; readonly path: string; readonly passwordFile: string });

/** The section of the configuration that says the same. It holds no secret, only where they lie. */
export function sectionOf(plan: Plan): AccountKeys {
  const common = { issuer: plan.issuer, ...(plan.caFile === undefined ? {} : { ca_file: plan.caFile }) };
  switch (plan.kind) {
    case 'client-credentials':
      return {
        grant: 'client_credentials',
        ...common,
        client_id: plan.clientId,
        client_secret: { file: plan.secret.file },
        ...(plan.authMethod === 'client_secret_basic' ? {} : { client_auth: plan.authMethod }),
      };
    case 'oidc-agent':
      return {
        grant: 'refresh_token',
        ...common,
        oidc_agent_file: plan.path,
        password: { file: plan.passwordFile },
      };
    case 'login':
    case 'refresh-token':
      return { grant: 'refresh_token', ...common, ...clientKeys(plan.client) };
  }
}

function clientKeys(client: ConfiguredByFile | undefined) {
  if (client === undefined) return {};
  const { clientId, secretFile } = client;
  if (secretFile === undefined) return { client_id: clientId, client_auth: 'none' as const };
  return { client_id: clientId, client_secret: { file: secretFile } };
}

/** The files that the section names: whoever renews has to be able to read them. */
export function filesOf(plan: Plan): readonly string[] {
  return [plan.caFile, ...ownFilesOf(plan)].filter((file) => file !== undefined);
}

function ownFilesOf(plan: Plan): readonly (string | undefined)[] {
  switch (plan.kind) {
    case 'client-credentials':
      return [plan.secret.file];
    case 'oidc-agent':
      return [plan.path, plan.passwordFile];
    case 'login':
    case 'refresh-token':
      return [plan.client?.secretFile];
  }
}

/** Made by the units of systemd. */
const systemTargets = '/run/tokeep';

/** Where tokens are proposed to go: below /run for a service, else to where the user may write. */
export function targetDirectory({ user, env }: Pick<World, 'user' | 'env'>): string {
  if (user.uid === 0) return systemTargets;
  const runtime = env['XDG_RUNTIME_DIR'];
  return runtime?.startsWith('/') ? join(runtime, 'tokeep') : join(env['HOME'] ?? '/', 'tokens');
}

/** A `tokens:` section to go on with, as lines. */
export function nextSteps(name: string, plan: Plan, directory: string): readonly string[] {
  const scope = plan.scope.filter((one) => !['openid', 'offline_access', 'profile', 'email'].includes(one));
  return [
    'Next, say which tokens to keep, such as:',
    '',
    '  tokens:',
    `    ${name}:`,
    `      account: ${name}`,
    ...(scope.length === 0 ? [] : [`      scope: [${scope.map((one) => JSON.stringify(one)).join(', ')}]`]),
    ...(plan.audience.length === 0 ? [] : [`      audience: ${JSON.stringify(plan.audience.join(' '))}`]),
    `      deliver: [{ file: ${JSON.stringify(join(directory, `${name}.token`))} }]`,
    '',
    `then try it: ${directory === systemTargets ? '' : `install -d -m 0700 '${directory}' && `}tokeep renew`,
  ];
}
