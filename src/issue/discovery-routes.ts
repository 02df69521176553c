import { hash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asFault } from '../fault/fault.ts';
import type { IssuerSettings } from '../mint/issuer.ts';
import type { JsonValue } from '../mint/policy.ts';
import { markPublished } from '../mint/rotate-keys.ts';
import type { SigningKey } from '../mint/signing-key.ts';
import { seconds } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import type { ServerDesk } from './server-desk.ts';
import { routeOf, type ServerUrls } from './server-urls.ts';
import { jsonText, metadataOf } from './site.ts';
import type { TokenGrant } from './token-grant.ts';

/** A document with the tag that tells whether it has changed (RFC 9110 section 8.8.3). */
interface Document {
  readonly text: string;
  readonly tag: string;
}

/** How long a document is taken for what the database says. */
const fresh = seconds(1);
/** How long somebody waits for a new one where there is one from before. */
const patience = seconds(1);
/** For how long clients may keep it: a key is published days before it signs, so that an hour makes nobody miss one. */
const hour = 3600;

/** The metadata of the server (RFC 8414 section 2). What clients may do anyway, or cannot, is said too: their libraries look for it. */
export function serverMetadata(
  urls: ServerUrls,
  settings: IssuerSettings,
  grants: ReadonlyMap<string, TokenGrant>,
): Readonly<Record<string, JsonValue>> {
  const clientAuth = {
    methods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    algorithms: ['ES256', 'RS256'],
  };
  const named = settings.policy.scopes.filter((scope) => !scope.includes('*'));
  return metadataOf(urls.issuer, {
    token_endpoint: urls.token,
    introspection_endpoint: urls.introspection,
    revocation_endpoint: urls.revocation,
    grant_types_supported: [...grants.keys()],
    // Required, and none: nobody logs in here (RFC 8414 section 2).
    response_types_supported: ['none'],
    ...(named.length === 0 ? {} : { scopes_supported: named }),
    token_endpoint_auth_methods_supported: clientAuth.methods,
    token_endpoint_auth_signing_alg_values_supported: clientAuth.algorithms,
    introspection_endpoint_auth_methods_supported: clientAuth.methods,
    introspection_endpoint_auth_signing_alg_values_supported: clientAuth.algorithms,
    revocation_endpoint_auth_methods_supported: clientAuth.methods,
    revocation_endpoint_auth_signing_alg_values_supported: clientAuth.algorithms,
  });
}

/** Metadata and JWKS, as the database and issuer.yaml have them now. Whoever fetches the JWKS has been shown the keys: this is their publication. */
export function addDiscovery(app: FastifyInstance, desk: ServerDesk, grants: ReadonlyMap<string, TokenGrant>): void {
  const metadata = remembered(desk, 'the metadata', async () => {
    await lookAtSettings(desk);
    return jsonText(serverMetadata(desk.urls, desk.issuer.settings, grants));
  });
  const jwks = remembered(desk, 'the key set', async () => {
    const keys = await desk.issuer.keys();
    await publish(desk, keys);
    return jsonText({ keys: keys.map(({ jwk }) => ({ ...jwk })) });
  });
  for (const path of desk.urls.metadataPaths) app.get(path, answering(metadata));
  app.get(routeOf(desk.urls.jwks), answering(jwks));
}

/** issuer.yaml is read anew on the way to a signature. Where that cannot be done the metadata go on with what was read last. */
async function lookAtSettings({ issuer, world }: ServerDesk): Promise<void> {
  const looked = issuer.signingKey().then(
    () => {},
    () => {},
  );
  await inTime(looked, undefined, world.clock);
}

/** From the moment they are served verifiers can know them, which is what a rotation waits for. Serving goes on where it cannot be noted. */
async function publish({ issuer, log }: ServerDesk, keys: readonly SigningKey[]): Promise<void> {
  const unknown = keys.filter(({ publishedAt }) => publishedAt === undefined).map(({ kid }) => kid);
  if (unknown.length === 0) return;
  try {
    await markPublished(issuer, unknown, 'server');
  } catch (thrown) {
    const reason = asFault(thrown, 'noting it').message;
    log.event('unexpected-fault', { doing: 'noting that a key is published', reason });
  }
}

/**
 * Made anew at most once a second. Where it cannot be made, as while the database is away, the last one goes on being served: verifiers
 * can do without new keys for a while, but not without any.
 */
function remembered({ world, log }: ServerDesk, what: string, make: () => Promise<string>): () => Promise<Document> {
  let last: Document | undefined;
  let lookedAt: number | undefined;
  let making: Promise<Document> | undefined;
  const makeOne = async (at: number): Promise<Document> => {
    try {
      const text = await make();
      if (text !== last?.text) last = { text, tag: `"${hash('sha256', text, 'base64url').slice(0, 27)}"` };
    } catch (thrown) {
      if (last === undefined) throw thrown;
      log.event('issuer-document-stale', { document: what, reason: asFault(thrown, 'reading it').message });
    }
    lookedAt = at;
    return last;
  };
  return async () => {
    const at = world.clock.monotonic() as number;
    if (last !== undefined && lookedAt !== undefined && at - lookedAt < fresh) return last;
    making ??= makeOne(at).finally(() => {
      making = undefined;
    });
    return last === undefined ? await making : await inTime(making, last, world.clock);
  };
}

/** A database that hangs is given up only after half a minute, which no verifier waits for its keys. */
async function inTime<T>(making: Promise<T>, last: T, clock: Pick<Clock, 'sleep'>): Promise<T> {
  const made = new AbortController();
  const late = clock.sleep(patience, made.signal).then(
    () => last,
    () => last,
  );
  try {
    return await Promise.race([making, late]);
  } finally {
    made.abort();
  }
}

function answering(document: () => Promise<Document>) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { text, tag } = await document();
    // Public, and for browsers too: there is nothing in it that is not for everybody.
    reply.headers({ etag: tag, 'cache-control': `public, max-age=${hour}`, 'access-control-allow-origin': '*' });
    const known = request.headers['if-none-match'];
    if (
      known !== undefined &&
      (known === '*' || known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag))
    ) {
      return reply.code(304).send();
    }
    return reply.header('content-type', 'application/json').send(text);
  };
}
