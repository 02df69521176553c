import { createHash, randomBytes } from 'node:crypto';
import { approve } from '../../peers/approve.ts';
import type { Pool, User } from './pool.ts';
import { services } from './pool-config.ts';
import type { Surroundings } from './surroundings.ts';

export interface Client {
  readonly id: string;
  readonly secret: string;
  readonly redirectUri: string;
}

export interface LoginWish {
  readonly service?: keyof typeof services;
  readonly scope?: string;
}

/** A refresh token of a user, by a login that ends at the client's own page, without the pool's web login. */
export async function loginAt(
  issuer: string,
  client: Client,
  user: User,
  scope: string,
  caFile?: string,
): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const question = new URLSearchParams({
    ...{ client_id: client.id, redirect_uri: client.redirectUri, response_type: 'code', state: 'any' },
    ...{ scope: `openid offline_access ${scope}`, prompt: 'consent', code_challenge_method: 'S256' },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  const trust = caFile === undefined ? {} : { caFile };
  const came = new URL(await approve(`${issuer}/auth?${question}`, { ...trust, login: user }));
  const body = new URLSearchParams({
    ...{ grant_type: 'authorization_code', code: came.searchParams.get('code') ?? '', code_verifier: verifier },
    ...{ redirect_uri: client.redirectUri, client_id: client.id, client_secret: client.secret },
  });
  const answer = await fetch(`${issuer}/token`, { method: 'POST', body });
  const { refresh_token: token } = (await answer.json()) as { readonly refresh_token?: string };
  if (token === undefined) throw new Error(`no refresh token: ${answer.status}, ${came.pathname}${came.search}`);
  return token;
}

/** Likewise, at the pool's issuer. */
export async function refreshTokenOf(told: Surroundings, user: User, wish: LoginWish = {}): Promise<string> {
  const { service = 'mytok', scope = 'compute.read' } = wish;
  const client = { ...services[service], redirectUri: `${told.webPrefix}/return/${service}` };
  return await loginAt(told.issuer, client, user, scope, told.caFile);
}

/** Puts a login into the credential directory as a storer does: by condor_store_cred, as the user. */
export async function storeLogin(pool: Pool, told: Surroundings, user: User, wish: LoginWish = {}): Promise<void> {
  await storeTop(pool, user, { refresh_token: await refreshTokenOf(told, user, wish) }, wish.service);
}

export async function storeTop(pool: Pool, user: User, top: object, service = 'mytok'): Promise<void> {
  const { status, stdout, stderr } = await pool.storeCred(user, 'add-oauth', ['-s', service, '-i', '-'], {
    input: JSON.stringify(top),
  });
  if (status !== 0) throw new Error(`condor_store_cred ended with ${status}: ${stderr}${stdout}`);
}
