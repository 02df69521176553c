import type { AccountName, IssuerUrl, WishName } from '../token/names.ts';
import { seconds } from '../token/time.ts';
import type { Account, ClientAuth, IssuerRef, Position } from './config.ts';
import { accountFingerprint } from './fingerprint.ts';
import type { AccountInput } from './schema-accounts.ts';

export const defaultTimeout = seconds(30);

/** Tells that a key is missing or out of place; the account is then left out. */
export type Complain = (key: string, message: string) => undefined;

type ClientInput = Extract<AccountInput, { grant: 'client_credentials' | 'refresh_token' | 'token_exchange' }>;

/** From a section that fits the schema to an account; what the schema cannot tell (keys that need each other) is checked here. */
export function accountOf(
  name: AccountName,
  at: Position,
  input: AccountInput,
  complain: Complain,
): Account | undefined {
  const issuer = issuerOf(input, complain);
  if (issuer === undefined) return undefined;
  const base = {
    name,
    at,
    issuer,
    audienceStyle: input.audience_style ?? ('auto' as const),
    timeout: input.timeout ?? defaultTimeout,
    ...(input.ca_file === undefined ? {} : { caFile: input.ca_file }),
    ...(input.refresh_lifetime === undefined ? {} : { refreshLifetime: input.refresh_lifetime }),
  };
  const special = specialOf(name, input, complain);
  if (special === undefined) return undefined;
  const account = { ...base, ...special };
  return { ...account, fingerprint: accountFingerprint(account) } as Account;
}

function issuerOf(input: AccountInput, complain: Complain): IssuerRef | undefined {
  const endpoint = 'token_endpoint' in input ? input.token_endpoint : undefined;
  const named = 'issuer' in input ? input.issuer : undefined;
  if (named !== undefined && endpoint !== undefined) {
    return complain('token_endpoint', 'stands beside "issuer"; only one of them can be followed');
  }
  if (named !== undefined) return { kind: 'discovered', issuer: named as IssuerUrl };
  if (endpoint !== undefined) return { kind: 'token-endpoint', url: endpoint };
  const known = ['oidc_agent', 'mytoken', 'vault', 'signing_key', 'idtoken'].includes(input.grant);
  const adopted = input.grant === 'refresh_token' && input.oidc_agent_file !== undefined;
  return known || adopted ? { kind: 'of-credential' } : complain('issuer', 'is missing');
}

/** The keys of an account that depend on its grant. */
function specialOf(name: AccountName, input: AccountInput, complain: Complain): object | undefined {
  switch (input.grant) {
    case 'client_credentials':
      return clientOf(input.client_id, input, complain, 'secret', { grant: input.grant });
    case 'token_exchange':
      return clientOf(input.client_id, input, complain, 'public', {
        grant: input.grant,
        subject: input.subject as WishName,
      });
    case 'refresh_token':
      return refreshTokenOf(input, complain);
    case 'oidc_agent': {
      const { grant, socket, shortname = name } = input;
      return { grant, shortname, ...(socket === undefined ? {} : { socket }) };
    }
    case 'mytoken':
      return { grant: input.grant, server: input.server, mytoken: input.mytoken };
    case 'vault':
      return {
        grant: input.grant,
        server: input.server,
        secretPath: vaultPath(input.secret_path),
        vaultToken: input.vault_token,
      };
    case 'signing_key': {
      const { grant, keys, profile } = input;
      return { grant, keys, ...(profile === undefined ? {} : { profile }) };
    }
    case 'idtoken': {
      const { grant, trust_domain: trustDomain, key, key_id: keyId = 'POOL' } = input;
      return { grant, trustDomain, key, keyId };
    }
  }
}

const vaultPath = (path: string): string => path.replace(/^\/*(v1\/)?/, '').replace(/\/+$/, '');

function refreshTokenOf(
  input: Extract<AccountInput, { grant: 'refresh_token' }>,
  complain: Complain,
): object | undefined {
  const { grant, oidc_agent_file: path, password } = input;
  if (path !== undefined && password === undefined)
    return complain('password', 'is missing: it opens "oidc_agent_file"');
  if (path === undefined && password !== undefined)
    return complain('password', 'is for "oidc_agent_file", which is missing');
  const agentFile = path !== undefined && password !== undefined ? { oidcAgentFile: { path, password } } : {};
  if (input.client_id !== undefined) {
    const client = clientOf(input.client_id, input, complain, 'public', {});
    return client === undefined ? undefined : { grant, client, ...agentFile };
  }
  const stray = (['client_auth', 'client_secret', 'private_key'] as const).find((key) => input[key] !== undefined);
  return stray === undefined ? { grant, ...agentFile } : complain(stray, 'needs "client_id" beside it');
}

function clientOf<T extends object>(
  clientId: string,
  input: ClientInput,
  complain: Complain,
  kind: 'secret' | 'public',
  more: T,
): (T & { clientId: string; clientAuth: ClientAuth }) | undefined {
  const clientAuth = clientAuthOf(input, complain, kind);
  return clientAuth === undefined ? undefined : { ...more, clientId, clientAuth };
}

function clientAuthOf(input: ClientInput, complain: Complain, kind: 'secret' | 'public'): ClientAuth | undefined {
  const { client_secret: secret, private_key: key } = input;
  const fallback = secret !== undefined ? 'client_secret_basic' : key !== undefined ? 'private_key_jwt' : 'none';
  const method = input.client_auth ?? fallback;
  const needless = strayKey(input, method);
  if (needless !== undefined) return complain(needless, `does not go with client authentication "${method}"`);
  switch (method) {
    case 'none':
      if (kind === 'public') return { kind: method };
      return complain(input.client_auth === undefined ? 'client_secret' : 'client_auth', noSecret(input.client_auth));
    case 'client_secret_basic':
      if (secret === undefined) return complain('client_secret', 'is missing');
      return { kind: method, secret, encoding: input.secret_encoding ?? 'form' };
    case 'client_secret_post':
      return secret === undefined ? complain('client_secret', 'is missing') : { kind: method, secret };
    case 'private_key_jwt': {
      if (key === undefined) return complain('private_key', 'is missing');
      const { key_id: keyId, algorithm } = input;
      return {
        kind: method,
        key,
        ...(keyId === undefined ? {} : { keyId }),
        ...(algorithm === undefined ? {} : { algorithm }),
      };
    }
  }
}

const noSecret = (given: string | undefined): string =>
  given === undefined ? 'is missing (or "private_key")' : 'is "none", but client credentials need a secret or a key';

function strayKey(input: ClientInput, method: ClientAuth['kind']): string | undefined {
  const secretKeys = ['client_secret', 'secret_encoding'] as const;
  const keyKeys = ['private_key', 'key_id', 'algorithm'] as const;
  const stray = {
    none: [...secretKeys, ...keyKeys],
    client_secret_basic: keyKeys,
    client_secret_post: ['secret_encoding' as const, ...keyKeys],
    private_key_jwt: secretKeys,
  }[method];
  return stray.find((key) => input[key] !== undefined);
}
