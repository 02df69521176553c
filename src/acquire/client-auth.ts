import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { ClientAuth } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { Fault } from '../fault/fault.ts';
import type { ClientSecret, Secret } from '../token/secret.ts';
import type { World } from '../world/world.ts';

/** A client as the configuration has it: who it is, and how it proves it. */
export interface ConfiguredClient {
  readonly clientId: string;
  readonly clientAuth: ClientAuth;
}

/** Client authentication with its secret at hand. A key is a KeyObject: it prints as nothing and is parsed once. */
export type ResolvedClientAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'client_secret_basic'; readonly secret: ClientSecret; readonly encoding: 'form' | 'raw' }
  | { readonly kind: 'client_secret_post'; readonly secret: ClientSecret }
  | { readonly kind: 'private_key_jwt'; readonly key: KeyObject; readonly keyId?: string; readonly algorithm: string };

type BasicAuth = Extract<ResolvedClientAuth, { kind: 'client_secret_basic' }>;

/** Reads what the client needs to prove itself. Throws Fault `secret-unreadable` when it is not there or is no key. */
export async function resolveClientAuth(world: World, client: ConfiguredClient): Promise<ResolvedClientAuth> {
  const auth = client.clientAuth;
  switch (auth.kind) {
    case 'none':
      return auth;
    case 'client_secret_basic':
      return {
        kind: auth.kind,
        secret: await readSecret(world, auth.secret, 'client_secret'),
        encoding: auth.encoding,
      };
    case 'client_secret_post':
      return { kind: auth.kind, secret: await readSecret(world, auth.secret, 'client_secret') };
    case 'private_key_jwt': {
      const key = parseKey(await readSecret(world, auth.key, 'private_key'), client.clientId);
      const algorithm = auth.algorithm ?? algorithmFor(key);
      return { kind: auth.kind, key, algorithm, ...(auth.keyId === undefined ? {} : { keyId: auth.keyId }) };
    }
  }
}

/** PEM (PKCS#8, PKCS#1, SEC1) or a JWK. */
function parseKey(secret: Secret<'private_key'>, clientId: string): KeyObject {
  const text = secret.reveal().trim();
  try {
    if (text.startsWith('{')) return createPrivateKey({ key: JSON.parse(text), format: 'jwk' });
    return createPrivateKey(text);
  } catch {
    throw new Fault('secret-unreadable', `the private key of client ${clientId} is neither a PEM key nor a JWK`, {
      hint: 'it must be an unencrypted private key, such as `openssl genpkey -algorithm EC` writes',
    });
  }
}

const ecAlgorithms: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };

/** The algorithm that goes with a key where the configuration names none. */
function algorithmFor(key: KeyObject): string {
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (key.asymmetricKeyType === 'rsa-pss') return 'PS256';
  if (key.asymmetricKeyType === 'ec') return ecAlgorithms[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'ES256';
  return 'RS256';
}

/** What a request is made with, apart from its own parameters. */
export interface ClientProof {
  readonly headers: Readonly<Record<string, string>>;
  /** Every secret that goes out, so that it can be taken out of whatever comes back. */
  readonly secrets: readonly Secret[];
}

export interface ProofRequest {
  readonly clientId: string;
  readonly auth: ResolvedClientAuth;
  /** `aud` of a client assertion: the issuer, else the endpoint (RFC 7523 section 3, RFC 9700 section 2.5). */
  readonly audience: string;
}

/** Puts the client's proof into the form, or gives the headers that carry it. */
export async function applyClientAuth(
  world: World,
  form: URLSearchParams,
  request: ProofRequest,
): Promise<ClientProof> {
  const { auth, clientId } = request;
  if (auth.kind === 'client_secret_basic') {
    const encode = auth.encoding === 'form' ? formEncode : asItIs;
    const pair = `${encode(clientId)}:${encode(auth.secret.reveal())}`;
    const headers = { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
    return { headers, secrets: [auth.secret] };
  }
  form.set('client_id', clientId);
  if (auth.kind === 'client_secret_post') {
    form.set('client_secret', auth.secret.reveal());
    return { headers: {}, secrets: [auth.secret] };
  }
  if (auth.kind === 'private_key_jwt') {
    form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    form.set('client_assertion', await assertion(world, auth, request));
  }
  return { headers: {}, secrets: [] };
}

const asItIs = (text: string): string => text;

/**
 * RFC 6749 section 2.3.1 and appendix B, encoding only what must be: `-`, `.`, `_` and `*` stay as they are, since issuers
 * that do not decode (INDIGO IAM with its UUIDs) would refuse `%2D`.
 */
function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

/** The same client written the other way, raw or encoded, if that makes a difference (docs/config.md `client_auth`). */
export function otherEncoding(clientId: string, auth: ResolvedClientAuth): BasicAuth | undefined {
  if (auth.kind !== 'client_secret_basic') return undefined;
  const secret = auth.secret.reveal();
  if (formEncode(clientId) === clientId && formEncode(secret) === secret) return undefined;
  return { ...auth, encoding: auth.encoding === 'raw' ? 'form' : 'raw' };
}

/** RFC 7523 section 3: used once (jti) and short-lived. */
async function assertion(
  world: World,
  auth: Extract<ResolvedClientAuth, { kind: 'private_key_jwt' }>,
  { clientId, audience }: ProofRequest,
): Promise<string> {
  const now = Math.floor(world.clock.now() / 1000);
  const jwt = new SignJWT()
    .setProtectedHeader({ alg: auth.algorithm, ...(auth.keyId === undefined ? {} : { kid: auth.keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(audience)
    .setJti(world.random.id())
    .setIssuedAt(now)
    .setExpirationTime(now + 60);
  try {
    return await jwt.sign(auth.key);
  } catch (thrown) {
    const sentence = `the private key of client ${clientId} (${auth.key.asymmetricKeyType}) cannot sign with ${auth.algorithm}`;
    throw new Fault('secret-unreadable', sentence, { hint: 'set the algorithm that goes with the key', cause: thrown });
  }
}
