import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;

interface Clause {
  readonly scope?: string;
  readonly audience?: readonly string[];
  /** Seconds since 1970. */
  readonly exp?: number;
  readonly usages_AT?: number;
}
export interface MytokenTerms {
  readonly capabilities?: readonly string[];
  readonly restrictions?: readonly Clause[];
  readonly rotation?: { readonly on_AT?: boolean; readonly lifetime?: number; readonly auto_revoke?: boolean };
  readonly oidcIssuer?: string;
  readonly short?: boolean;
}

interface Family {
  /** `jti` of all its generations. */
  readonly id: string;
  readonly terms: MytokenTerms;
  seqNo: number;
  current: string;
  revoked: boolean;
  uses: number;
}

export interface MytokenServer extends AsyncDisposable {
  readonly issuer: string;
  /** The bodies that reached the access token endpoint. */
  readonly posts: readonly Json[];
  readonly discoveries: () => number;
  mint(terms?: MytokenTerms): string;
  /** The mytoken that is alive now, of the family that `mytoken` once belonged to. */
  current(mytoken: string): string;
  /** What the provider behind the server says instead of giving a token. */
  provider: { status: number; error: string; description: string } | undefined;
  /** Answers before anything is looked at, as the rate limiter in front does. */
  limiter: { status: number; body: string; headers?: Record<string, string> } | undefined;
  /** The issuer named in the metadata, if not the right one. */
  misnamed: string | undefined;
}

/**
 * A Mytoken server as far as access tokens go (API v0 of server 0.10): discovery, rotation with `seq_no` and without grace,
 * `token_update` on every answer once the mytoken was accepted, checks in the server's order.
 */
export async function startMytokenServer(): Promise<MytokenServer> {
  const state = new MytokenState();
  const server = createServer((request, response) => void state.handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(state, {
    discoveries: () => state.discovered,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

class MytokenState {
  issuer = '';
  discovered = 0;
  readonly posts: Json[] = [];
  provider: MytokenServer['provider'];
  limiter: MytokenServer['limiter'];
  misnamed: string | undefined;
  readonly #texts = new Map<string, { readonly family: Family; readonly seqNo: number }>();

  mint(terms: MytokenTerms = {}): string {
    const family: Family = { id: randomUUID(), terms, seqNo: 0, current: '', revoked: false, uses: 0 };
    return this.#next(family);
  }

  current(mytoken: string): string {
    return this.#texts.get(mytoken)?.family.current ?? '';
  }

  /** seq_no + 1 with the same jti; what was valid before is not any more. */
  #next(family: Family): string {
    family.seqNo += 1;
    const text = family.terms.short ? randomUUID().repeat(2).replaceAll('-', 'x') : this.#jwt(family);
    family.current = text;
    this.#texts.set(text, { family, seqNo: family.seqNo });
    return text;
  }

  #jwt({ id, terms, seqNo }: Family): string {
    const now = Math.floor(Date.now() / 1000);
    const lifetime = terms.rotation?.lifetime;
    const payload = {
      ver: '0.7',
      token_type: 'mytoken',
      iss: this.issuer,
      aud: this.issuer,
      iat: now,
      nbf: now,
      ...(lifetime === undefined ? {} : { exp: now + lifetime }),
      jti: id,
      seq_no: seqNo,
      capabilities: terms.capabilities ?? ['AT'],
    };
    const signed = `${base64url({ alg: 'ES512', typ: 'MT+JWT' })}.${base64url(payload)}`;
    const signature = sign('sha512', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    if (request.method === 'GET' && request.url === '/.well-known/mytoken-configuration') {
      this.discovered += 1;
      return answer(response, 200, this.#metadata());
    }
    if (request.method !== 'POST' || request.url !== '/api/v0/token/access') {
      return answer(response, 404, { error: 'not_found' });
    }
    const post = JSON.parse(body) as Json;
    this.posts.push(post);
    if (this.limiter !== undefined) {
      response.writeHead(this.limiter.status, { 'content-type': 'text/plain', ...this.limiter.headers });
      response.end(this.limiter.body);
      return;
    }
    const [status, reply] = this.#access(post);
    answer(response, status, reply);
  }

  #metadata(): Json {
    const endpoint = `${this.issuer}/api/v0/token/access`;
    return {
      issuer: this.misnamed ?? this.issuer,
      access_token_endpoint: endpoint,
      token_endpoint: endpoint,
      mytoken_endpoint: `${this.issuer}/api/v0/token/my`,
      jwks_uri: `${this.issuer}/jwks`,
      token_signing_alg_value: 'ES512',
      access_token_endpoint_grant_types_supported: ['mytoken'],
    };
  }

  #access(post: Json): readonly [number, Json] {
    if (post['grant_type'] !== 'mytoken' && post['grant_type'] !== 'refresh_token') {
      return refusal(400, 'invalid_request', 'unsupported grant type');
    }
    const given = this.#texts.get(String(post['mytoken'] ?? post['refresh_token'] ?? ''));
    if (given === undefined) return refusal(400, 'invalid_request', 'token not valid');
    const { family, seqNo } = given;
    if (!family.revoked && seqNo !== family.seqNo && family.terms.rotation?.auto_revoke) family.revoked = true;
    if (family.revoked || seqNo !== family.seqNo) return refusal(401, 'invalid_token', 'token not valid');
    const update = family.terms.rotation?.on_AT ? this.#update(family) : {};
    const [status, reply] = this.#use(family, post);
    return [status, { ...reply, ...update }];
  }

  #update(family: Family): Json {
    const lifetime = family.terms.rotation?.lifetime;
    const token_update = {
      mytoken: this.#next(family),
      mytoken_type: family.terms.short ? 'short_token' : 'token',
      mom_id: family.id,
      capabilities: family.terms.capabilities ?? ['AT'],
      rotation: family.terms.rotation,
      ...(lifetime === undefined ? {} : { expires_in: lifetime }),
    };
    return { token_update };
  }

  #use(family: Family, post: Json): readonly [number, Json] {
    const { terms } = family;
    if (!(terms.capabilities ?? ['AT']).includes('AT')) {
      return refusal(403, 'insufficient_capabilities', 'The provided token does not have the required capability AT');
    }
    const clause = this.#clauseFor(family, post);
    if (clause === undefined)
      return refusal(403, 'usage_restricted', 'The restrictions of this token does not allow this usage');
    const issuer = post['oidc_issuer'];
    if (issuer !== undefined && terms.oidcIssuer !== undefined && issuer !== terms.oidcIssuer) {
      return refusal(400, 'invalid_request', 'token not for specified issuer');
    }
    if (this.provider !== undefined) {
      const { status, error, description } = this.provider;
      return refusal(status, 'oidc_error', `${error}: ${description}`);
    }
    family.uses += 1;
    const scope =
      terms.restrictions === undefined ? 'openid profile' : (post['scope'] ?? clause.scope ?? 'openid profile');
    return [200, { access_token: `at-${family.uses}`, token_type: 'Bearer', expires_in: 3600, scope }];
  }

  /** The first clause that lets the use through; exact strings, subsets. Without restrictions everything passes. */
  #clauseFor({ terms, uses }: Family, post: Json): Clause | undefined {
    const words = (value: unknown) =>
      String(value ?? '')
        .split(' ')
        .filter((word) => word !== '');
    const fits = (clause: Clause) =>
      (clause.exp === undefined || clause.exp >= Date.now() / 1000) &&
      (clause.usages_AT === undefined || uses < clause.usages_AT) &&
      (clause.scope === undefined || words(post['scope']).every((one) => words(clause.scope).includes(one))) &&
      (clause.audience === undefined || words(post['audience']).every((one) => clause.audience?.includes(one)));
    return terms.restrictions === undefined ? {} : terms.restrictions.find(fits);
  }
}

const refusal = (status: number, error: string, error_description: string): readonly [number, Json] => [
  status,
  { error, error_description },
];

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function answer(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
