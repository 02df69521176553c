/**
 * An OpenID provider that nobody here wrote (oidc-provider), as a process of its own. Its one argument is an
 * {@link IssuerConfig} as JSON; when it listens it prints an {@link IssuerReady} as one line. It says nothing else, and ends
 * with the process that started it.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createLocalJWKSet, jwtVerify } from 'jose';
import Provider, { errors, type TokenContext } from 'oidc-provider';
import type { IssuerConfig, IssuerReady } from './issuer-config.ts';
import { adapterFor, IssuerStorage } from './issuer-storage.ts';

const config = JSON.parse(process.argv[2] ?? '{}') as IssuerConfig;
const storage = new IssuerStorage(config.stateFile);

/** oidc-provider takes absolute URIs as audiences only (RFC 8707); WLCG's are any text. They travel inside as URNs. */
const inside = 'urn:test-audience:';
const toResource = (audience: string): string =>
  URL.canParse(audience) ? audience : inside + encodeURIComponent(audience);
const toAudience = (resource: string): string =>
  resource.startsWith(inside) ? decodeURIComponent(resource.slice(inside.length)) : resource;

/** The WLCG parameter `audience`: once or repeated, and a list separated by blanks asks for a token for all of them. */
function askedAudiences(context: TokenContext): readonly string[] {
  const asked = context.oidc.body?.['audience'] ?? [];
  return typeof asked === 'string' ? [asked] : asked;
}

function defaultResource(
  context: TokenContext,
  _client: unknown,
  oneOf?: readonly string[],
): string | readonly string[] {
  const asked = askedAudiences(context).map(toResource);
  if (oneOf !== undefined) return asked[0] ?? oneOf[0] ?? [];
  if (asked.length > 0) return asked.length === 1 ? (asked[0] ?? []) : asked;
  // A login covers every audience there is, so that a refresh may narrow to any of them.
  const isLogin = context.oidc.params['grant_type'] === undefined;
  return isLogin ? config.audiences.map(toResource) : toResource(config.audiences[0] ?? '');
}

function resourceServer(resource: string): Readonly<Record<string, unknown>> {
  const audience = toAudience(resource);
  if (!audience.split(' ').every((one) => config.audiences.includes(one))) {
    throw new errors.InvalidTarget('no such audience here');
  }
  return {
    scope: config.scopes.join(' '),
    audience,
    accessTokenFormat: 'jwt',
    accessTokenTTL: config.accessTokenLife,
    jwt: { sign: { alg: 'ES256' } },
  };
}

interface Signed {
  readonly payload: Record<string, unknown>;
}

function wlcgClaims(_context: unknown, _token: unknown, { payload }: Signed): void {
  payload['wlcg.ver'] = '1.0';
  payload['nbf'] = payload['iat'];
  if (typeof payload['aud'] === 'string' && payload['aud'].includes(' ')) payload['aud'] = payload['aud'].split(' ');
}

function persistent<T extends Record<string, unknown>>(name: string, make: () => T): T {
  const known = storage.get(name);
  if (known !== undefined) return known as T;
  const made = make();
  storage.set(name, made);
  return made;
}

const signingKey = persistent('own:signing-key', () => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid: randomBytes(6).toString('base64url'),
  use: 'sig',
  alg: 'ES256',
}));
const cookies = persistent('own:cookies', () => ({ key: randomBytes(24).toString('base64url') }));

function providerConfiguration(): Readonly<Record<string, unknown>> {
  const openid = ['openid', 'offline_access', 'profile', 'email'];
  return {
    adapter: adapterFor(storage),
    clients: config.clients.map((client) => ({
      redirect_uris: [],
      response_types: [],
      ...client,
    })),
    jwks: { keys: [signingKey] },
    cookies: { keys: [cookies['key']] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: [...openid, ...config.scopes],
    claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
    findAccount: async (_context: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    rotateRefreshToken: config.rotate === 'always',
    issueRefreshToken: async () => true,
    ttl: {
      AccessToken: config.accessTokenLife,
      ClientCredentials: config.accessTokenLife,
      RefreshToken: config.refreshTokenLife,
      Grant: config.refreshTokenLife,
      DeviceCode: 600,
      Interaction: 600,
      Session: 86_400,
      IdToken: 300,
    },
    pkce: { required: () => true },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'] },
    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource,
        getResourceServerInfo: (_context: unknown, resource: string) => resourceServer(resource),
        useGrantedResource: () => true,
      },
    },
    formats: { customizers: { jwt: wlcgClaims } },
  };
}

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** RFC 8693: the subject of one of our own tokens, for one of the audiences. */
function offerTokenExchange(provider: Provider, issuer: string): void {
  const { kty, crv, x, y, kid, alg } = signingKey;
  const keys = createLocalJWKSet({ keys: [{ kty, crv, x, y, kid, alg }] as never });
  provider.registerGrantType(
    tokenExchange,
    async (context) => {
      const { params, client } = context.oidc;
      const subject = await jwtVerify(params['subject_token'] ?? '', keys, { issuer }).catch(() => undefined);
      if (subject === undefined) throw new errors.InvalidGrant('subject_token is not one of ours');
      const resource = params['resource'] ?? toResource(askedAudiences(context)[0] ?? config.audiences[0] ?? '');
      const allowed = new Set(config.scopes);
      const scope = (params['scope'] ?? String(subject.payload['scope'] ?? ''))
        .split(' ')
        .filter((one) => allowed.has(one));
      const token = new provider.ClientCredentials({ client, scope: scope.join(' ') || undefined });
      token.resourceServer = new provider.ResourceServer(resource, resourceServer(resource));
      context.body = {
        access_token: await token.save(),
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        expires_in: token.expiration,
        token_type: token.tokenType,
        ...(token.scope === undefined ? {} : { scope: token.scope }),
      };
    },
    ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'resource', 'scope'],
  );
}

/** As if so many people had been here. */
async function refreshTokensOf(provider: Provider): Promise<readonly string[]> {
  const { clientId, count } = config.loggedIn ?? { clientId: '', count: 0 };
  const client = count === 0 ? undefined : await provider.Client.find(clientId);
  const scope = ['offline_access', ...config.scopes].join(' ');
  const made: string[] = [];
  for (let nth = 0; nth < count; nth++) {
    const accountId = `person-${nth}`;
    const grant = new provider.Grant({ accountId, clientId });
    grant.addOIDCScope(scope);
    for (const audience of config.audiences) grant.addResourceScope(toResource(audience), config.scopes.join(' '));
    const grantId = await grant.save();
    made.push(await new provider.RefreshToken({ accountId, client, grantId, scope, gty: 'authorization_code' }).save());
  }
  return made;
}

let handle: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
  response.writeHead(503).end();

async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = config.path ?? '';
  const url = request.url ?? '/';
  if (config.tokenDelay !== undefined && url.endsWith('/token')) await delay(config.tokenDelay);
  if (path === '') return handle(request, response);
  if (!url.startsWith(`${path}/`)) {
    response.writeHead(404).end();
    return;
  }
  Object.assign(request, { originalUrl: url, url: url.slice(path.length) });
  handle(request, response);
}

const { tls } = config;
const server =
  tls === undefined
    ? createServer(onRequest)
    : createSecureServer({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }, onRequest);
server.listen(config.port, '127.0.0.1', async () => {
  const { port } = server.address() as AddressInfo;
  const host = tls === undefined ? '127.0.0.1' : 'localhost';
  const issuer = `${tls === undefined ? 'http' : 'https'}://${host}:${port}${config.path ?? ''}`;
  const provider = new Provider(issuer, providerConfiguration());
  offerTokenExchange(provider, issuer);
  handle = provider.callback();
  const ready: IssuerReady = { issuer, port, refreshTokens: await refreshTokensOf(provider) };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
});
// Whoever started us holds our standard input; when it closes, they are gone.
process.stdin.on('end', () => process.exit(0)).resume();
