import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { createLocalJWKSet, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { approve } from '../peers/approve.ts';
import type { KnownClient } from '../peers/issuer-config.ts';
import { type MytokenServer, startMytokenServer } from '../peers/mytoken-server.ts';
import { type OidcAgentServer, startOidcAgent } from '../peers/oidc-agent-server.ts';
import { type RunningIssuer, startIssuer, wlcgAny } from '../peers/start-issuer.ts';
import { startVaultServer, type VaultServer } from '../peers/vault-server.ts';
import { type House, house } from './house.ts';

/** A house with an account for every grant and every way to prove a client, and all their peers. */
export interface AllGrants extends AsyncDisposable {
  readonly house: House;
  readonly issuer: RunningIssuer;
  readonly agent: OidcAgentServer;
  readonly mytoken: MytokenServer;
  readonly vault: VaultServer;
  /** In every secret that was made here. */
  readonly canary: string;
  /** Secrets that somebody else made: refresh tokens of the issuer, mytokens. Grows. */
  foreignSecrets(): Promise<readonly string[]>;
  /** Verifies a token against the issuer's keys. */
  verify(token: string): Promise<JWTPayload>;
  /** Where the discovery target lies. */
  readonly discovered: string;
}

/** As root a test stays root. */
export const stay = process.getuid?.() === 0 ? ['--user', 'root'] : [];
const loginScope = ['--scope', 'openid offline_access storage.read:/ compute.read'];
const secretPath = 'secret/oauth/creds/demo/alice:default';

export const wishNames = [
  ...['basic', 'post', 'key', 'device', 'code', 'taken', 'imported', 'agent', 'my', 'vault', 'narrow', 'exchanged'],
  ...['row-a', 'row-b', 'cmd-c'],
] as const;
/** Those whose tokens the issuer signs. */
export const signed = ['basic', 'device', 'code', 'taken', 'imported', 'exchanged', 'row-a', 'row-b', 'cmd-c'] as const;

export async function allGrants(): Promise<AllGrants> {
  const canary = `canary${randomBytes(5).toString('hex')}`;
  const secret = (name: string) => `${canary}-${name}-0123456789abcdefghijklmnopqrstuv`;
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = await startIssuer({
    state: 'file',
    clients: clients(secret, key.publicKey.export({ format: 'jwk' })),
  });
  let asked = 0;
  const agent = await startOidcAgent(() => {
    asked += 1;
    const expires_at = Math.floor(Date.now() / 1000) + 3600;
    return { status: 'success', access_token: secret(`agent-${asked}`), expires_at };
  });
  const mytoken = await startMytokenServer();
  const vault = await startVaultServer();
  const vaultToken = `hvs.${secret('vault')}`;
  vault.tokens.set(vaultToken, { ttl: 604_800, creationTtl: 604_800, renewable: false, paths: ['secret/oauth/'] });
  vault.store(secretPath);
  const at = await house({ CREDENTIALS_DIRECTORY: '' });
  const credentials = { CREDENTIALS_DIRECTORY: at.path('credentials') };
  await mkdir(at.path('credentials'), { mode: 0o700 });
  const firstMytoken = mytoken.mint({ rotation: { on_AT: true, lifetime: 86_400 } });
  await at.file('basic.secret', `${secret('basic+/ %')}\n`);
  await at.file('credentials/post', secret('post'));
  await at.file('key.pem', String(key.privateKey.export({ format: 'pem', type: 'pkcs8' })));
  await at.file('exchange.secret', secret('exchange'));
  await at.file('person.secret', secret('person'));
  await at.file('mytoken.secret', firstMytoken);
  await at.file('vault.secret', vaultToken);
  await at.file(
    'rows.yaml',
    '- { name: a, audience: batch.example }\n- { name: b, audience: https://storage.example }\n',
  );
  await at.file('rows.json', JSON.stringify([{ name: 'c' }]));
  const places = { issuer: issuer.issuer, agent: agent.socket, mytoken: mytoken.issuer, vault: vault.url };
  await at.file('tokeep.yaml', accountsYaml(at, places), 0o600);

  const inside: House = {
    ...at,
    start: (args, options = {}) => at.start(args, { ...options, env: { ...credentials, ...options.env } }),
    run: (args, options = {}) => at.run(args, { ...options, env: { ...credentials, ...options.env } }),
    logIn: (args, options = {}) => at.logIn(args, { ...options, env: { ...credentials, ...options.env } }),
  };
  await makeLogins(inside, issuer.issuer, secret);
  const purpose = `e2e-${canary.slice(6)}`;
  await at.file('tokeep.yaml', `${await at.read('tokeep.yaml')}\n${tokensYaml(at, purpose)}`, 0o600);

  const jwks = (await (await fetch(`${issuer.issuer}/jwks`)).json()) as JSONWebKeySet;
  const keys = createLocalJWKSet(jwks);
  const discovered = `/tmp/bt_u${process.getuid?.()}-${purpose}`;
  return {
    house: inside,
    issuer,
    agent,
    mytoken,
    vault,
    canary,
    discovered,
    foreignSecrets: async () => [firstMytoken, mytoken.current(firstMytoken), ...(await refreshTokensOf(issuer))],
    verify: async (token) => (await jwtVerify(token.trim(), keys, { issuer: issuer.issuer })).payload,
    async [Symbol.asyncDispose]() {
      await Promise.all([issuer.stop(), agent[Symbol.asyncDispose](), mytoken[Symbol.asyncDispose]()]);
      await vault[Symbol.asyncDispose]();
      await rm(discovered, { force: true });
      await at[Symbol.asyncDispose]();
    },
  };
}

function clients(secret: (name: string) => string, publicKey: object): readonly KnownClient[] {
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const own = { grant_types: ['client_credentials'] };
  return [
    { client_id: 'basic+client', client_secret: secret('basic+/ %'), ...own },
    { client_id: 'post', client_secret: secret('post'), token_endpoint_auth_method: 'client_secret_post', ...own },
    {
      client_id: 'key',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...publicKey, kid: 'k1', alg: 'ES256', use: 'sig' }] },
      ...own,
    },
    { client_id: 'exchange', client_secret: secret('exchange'), grant_types: [exchange] },
    {
      client_id: 'person',
      client_secret: secret('person'),
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    },
  ];
}

function accountsYaml(at: House, of: { issuer: string; agent: string; mytoken: string; vault: string }): string {
  return `accounts:
  basic:
    grant: client_credentials
    issuer: ${of.issuer}
    client_id: basic+client
    client_secret: { file: ${at.path('basic.secret')} }
  post:
    grant: client_credentials
    issuer: ${of.issuer}
    client_id: post
    client_auth: client_secret_post
    client_secret: { credential: post }
  key:
    grant: client_credentials
    issuer: ${of.issuer}
    client_id: key
    client_auth: private_key_jwt
    private_key: { command: [/bin/cat, ${at.path('key.pem')}] }
    key_id: k1
  exchange:
    grant: token_exchange
    issuer: ${of.issuer}
    client_id: exchange
    client_secret: { file: ${at.path('exchange.secret')} }
    subject: basic
  agent: { grant: oidc_agent, shortname: robot, socket: ${of.agent} }
  my: { grant: mytoken, server: ${of.mytoken}, mytoken: { file: ${at.path('mytoken.secret')} } }
  vault:
    grant: vault
    server: ${of.vault}
    secret_path: ${secretPath}
    vault_token: { file: ${at.path('vault.secret')} }
`;
}

function tokensYaml(at: House, purpose: string): string {
  const file = (name: string) => `deliver: [{ file: ${at.path(`out/${name}.token`)} }]`;
  return `
tokens:
  basic:
    account: basic
    audience: ${wlcgAny}
    scope: [storage.read:/, compute.read]
    deliver: [{ file: ${at.path('out/basic.token')}, mode: "0640" }]
  post:
    account: post
    audience: https://storage.example
    deliver: [{ exec: [/bin/sh, ${at.path('by-stdin.sh')}] }]
  key:
    account: key
    deliver: [{ exec: [/bin/sh, ${at.path('by-file.sh')}], hands: file }]
  device:
    account: device
    scope: [storage.read:/]
    deliver:
      - file: ${at.path('out/device.token')}
      - discovery: ${process.getuid?.() === 0 ? 'root' : process.env['USER']}
        purpose: ${purpose}
  code: { account: code, scope: [compute.read], ${file('code')} }
  taken: { account: taken, ${file('taken')} }
  imported: { account: imported, ${file('imported')} }
  agent: { account: agent, ${file('agent')} }
  my: { account: my, ${file('my')} }
  vault: { account: vault, ${file('vault')} }
  narrow: { account: vault, scope: [storage.read:/], audience: https://storage.example, ${file('narrow')} }
  exchanged: { account: exchange, audience: batch.example, ${file('exchanged')} }
  row-{name}:
    for_each: { file: ${at.path('rows.yaml')} }
    account: basic
    audience: "{audience}"
    deliver: [{ file: "${at.path('out/row-{name}.token')}" }]
  cmd-{name}:
    for_each: { command: [/bin/cat, ${at.path('rows.json')}] }
    account: post
    deliver: [{ file: "${at.path('out/cmd-{name}.token')}" }]
`;
}

/** The four ways to a refresh token: two logins, one from a file, one from oidc-agent. */
async function makeLogins(at: House, issuer: string, secret: (name: string) => string): Promise<void> {
  await at.file('by-stdin.sh', spyScript(at, 'cat > "$1"'), 0o700);
  await at.file('by-file.sh', spyScript(at, 'cp "$2" "$1"'), 0o700);
  const setUp = ['setup', ...stay, '--yes', '--issuer', issuer];
  const ok = ({ status, stderr }: { status: number | null; stderr: string }) => assert.equal(status, 0, stderr);
  ok(await at.logIn([...setUp, ...loginScope, '--flow', 'device', 'device']));
  ok(await at.logIn([...setUp, ...loginScope, '--flow', 'code', 'code']));

  const client = ['--client-id', 'person', '--client-secret-file', at.path('person.secret')];
  await at.file('taken.secret', await refreshTokenByHand(issuer, secret('person')));
  ok(await at.run([...setUp, ...client, '--refresh-token-file', at.path('taken.secret'), 'taken']));
  await rm(at.path('taken.secret'));

  await at.file('agent.pw', `${secret('password')}\n`);
  const inAgent = await at.logIn(['--pw-file', at.path('agent.pw'), 'imported'], {
    program: 'osg-token-renewer-setup',
    input: `${issuer}\nopenid offline_access storage.read:/\n`,
    env: { USER: 'osg-token-svc' },
  });
  ok(inAgent);
  const account = at.path('.oidc-agent/imported');
  ok(await at.run([...setUp, '--import-oidc-agent', account, '--pw-file', at.path('agent.pw'), 'imported']));
}

/** Takes a token, and notes with which arguments and environment it and tokeep itself run. */
function spyScript(at: House, take: string): string {
  return `for of in $$ $PPID; do tr '\\0' '\\n' < /proc/$of/cmdline; tr '\\0' '\\n' < /proc/$of/environ; done >> ${at.path('seen-processes')}
set -- ${at.path('out')}/by-$(basename "$0" .sh).token "$@"
${take}
`;
}

/** A device login without tokeep, as somebody would have made it before. */
async function refreshTokenByHand(issuer: string, clientSecret: string): Promise<string> {
  const post = async (path: string, form: Record<string, string>) => {
    const authorization = `Basic ${Buffer.from(`person:${clientSecret}`).toString('base64')}`;
    const body = new URLSearchParams({ client_id: 'person', ...form });
    return (await (
      await fetch(`${issuer}${path}`, { method: 'POST', headers: { authorization }, body })
    ).json()) as Record<string, string>;
  };
  const started = await post('/device/auth', { scope: 'openid offline_access storage.read:/' });
  await approve(started['verification_uri_complete'] ?? '');
  const answer = await post('/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: started['device_code'] ?? '',
  });
  assert.ok(answer['refresh_token'], JSON.stringify(answer));
  return answer['refresh_token'];
}

/** All the issuer ever gave, spent ones too: it keeps them to notice a replay. */
async function refreshTokensOf(issuer: RunningIssuer): Promise<readonly string[]> {
  const entries = JSON.parse(await readFile(issuer.stateFile ?? '', 'utf8')) as [string, unknown][];
  return entries.flatMap(([name]) => (name.startsWith('RefreshToken:') ? [name.slice('RefreshToken:'.length)] : []));
}
