import { createHash, randomBytes } from 'node:crypto';
import { approve } from '../../peers/approve.ts';
import type { Pool, User } from './pool.ts';
import { services } from './pool-config.ts';
import type { Surroundings } from './surroundings.ts';

export type Service = keyof typeof services;

export interface LoginWish {
  readonly service?: Service;
  readonly scope?: string;
}

/** A refresh token of a user, by a login that ends at the service's own client, without the pool's web login. */
export async function refreshTokenOf(told: Surroundings, user: User, wish: LoginWish = {}): Promise<string> {
  const { service = 'mytok', scope = 'compute.read' } = wish;
  const { id, secret } = services[service];
  const verifier = randomBytes(32).toString('base64url');
  const redirect = `${told.webPrefix}/return/${service}`;
  const question = new URLSearchParams({
    ...{ client_id: id, redirect_uri: redirect, response_type: 'code', state: 'any', prompt: 'consent' },
    ...{ scope: `openid offline_access ${scope}`, code_challenge_method: 'S256' },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  const came = new URL(await approve(`${told.issuer}/auth?${question}`, { caFile: told.caFile, login: user }));
  const body = new URLSearchParams({
    ...{ grant_type: 'authorization_code', code: came.searchParams.get('code') ?? '', redirect_uri: redirect },
    ...{ code_verifier: verifier, client_id: id, client_secret: secret },
  });
  const answer = await fetch(`${told.issuer}/token`, { method: 'POST', body });
  const { refresh_token: token } = (await answer.json()) as { readonly refresh_token?: string };
  if (token === undefined)
    throw new Error(`no refresh token: ${answer.status} at the end of ${came.pathname}${came.search}`);
  return token;
}

/** Puts a login into the credential directory as a storer does: by condor_store_cred, as the user. */
export async function storeLogin(pool: Pool, told: Surroundings, user: User, wish: LoginWish = {}): Promise<string> {
  const token = await refreshTokenOf(told, user, wish);
  await storeTop(pool, user, { refresh_token: token }, wish.service);
  return token;
}

export async function storeTop(pool: Pool, user: User, top: object, service: string = 'mytok'): Promise<void> {
  const { status, stdout, stderr } = await pool.storeCred(user, 'add-oauth', ['-s', service, '-i', '-'], {
    input: JSON.stringify(top),
  });
  if (status !== 0) throw new Error(`condor_store_cred ended with ${status}: ${stderr}${stdout}`);
}
