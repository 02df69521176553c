import { jsonOf, textOf } from '../../acquire/answer-json.ts';
import type { ResolvedClientAuth } from '../../acquire/client-auth.ts';
import { refusal } from '../../acquire/login-flow.ts';
import { isCredential } from '../../acquire/salvage.ts';
import { readExpiresIn } from '../../acquire/token-answer.ts';
import { postToken } from '../../acquire/token-endpoint.ts';
import type { Fault } from '../../fault/fault.ts';
import { type AccessToken, type RefreshToken, Secret } from '../../token/secret.ts';
import { after, type Epoch, seconds } from '../../token/time.ts';
import type { World } from '../../world/world.ts';

export interface CodeExchange {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly auth: ResolvedClientAuth;
  readonly code: Secret<'authorization_code'>;
  readonly returnUrl: string;
  readonly verifier: string;
  readonly scope: readonly string[];
}

/** What a code was worth. */
export interface Exchanged {
  readonly kind: 'exchanged';
  readonly refreshToken: RefreshToken | undefined;
  readonly accessToken: AccessToken | undefined;
  readonly idToken: string | undefined;
  /** When the access token ends, if the issuer says so. */
  readonly endsAt: Epoch | undefined;
}

/** A person waits for the page. */
const timeout = seconds(20);

/** Sends the code to the token endpoint, once (RFC 6749 section 4.1.3). */
export async function exchangeCode(
  world: World,
  exchange: CodeExchange,
): Promise<Exchanged | { readonly kind: 'refused'; readonly fault: Fault }> {
  const { tokenUrl, clientId, auth, code, scope } = exchange;
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: code.reveal(),
    redirect_uri: exchange.returnUrl,
    code_verifier: exchange.verifier,
  });
  const raw = await postToken(world, {
    url: tokenUrl,
    form,
    clientId,
    auth,
    timeout,
    connection: 'fresh',
    secrets: [code],
  });
  if (raw.kind === 'none') return { kind: 'refused', fault: raw.fault };
  const refresh = textOf(raw, 'refresh_token');
  const refreshToken = isCredential(refresh) ? new Secret('refresh_token', refresh) : undefined;
  const text = textOf(raw, 'access_token');
  const accessToken = raw.status === 200 && isCredential(text) ? new Secret('access_token', text) : undefined;
  if (accessToken === undefined && refreshToken === undefined) {
    const terms = { issuer: tokenUrl, tokenEndpoint: tokenUrl, clientId, auth, scope, audience: [], timeout };
    return { kind: 'refused', fault: refusal(raw, { ...terms, signal: new AbortController().signal }) };
  }
  const json = jsonOf(raw) ?? {};
  const life = readExpiresIn(json['expires_in'], []);
  const endsAt = life === undefined ? undefined : after(raw.receivedAt, life);
  return {
    kind: 'exchanged',
    refreshToken,
    accessToken,
    idToken: textOf(raw, 'id_token'),
    endsAt,
  };
}
