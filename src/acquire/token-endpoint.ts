import { asFault } from '../fault/fault.ts';
import type { Secret } from '../token/secret.ts';
import type { Millis } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { textOf } from './answer-json.ts';
import { applyClientAuth, type ClientProof, otherEncoding, type ResolvedClientAuth } from './client-auth.ts';
import type { NoAnswer, RawAnswer } from './grant.ts';

/** More than any token endpoint has to say. */
const largestAnswer = 1024 * 1024;

export interface TokenPost {
  readonly url: string;
  /** The parameters of the grant; those of the client are added. */
  readonly form: URLSearchParams;
  readonly clientId: string;
  readonly auth: ResolvedClientAuth;
  /** The issuer, as `aud` of a client assertion; default: the URL. */
  readonly issuer?: string;
  readonly caFile?: string;
  readonly timeout: Millis;
  /** `fresh` for a request that spends a credential. */
  readonly connection: 'pooled' | 'fresh';
  /** Secrets among the parameters, which an answer must not bring into a sentence. */
  readonly secrets?: readonly Secret[];
  readonly signal?: AbortSignal;
}

/**
 * Asks a token endpoint, and hands back what it says untouched. Goes out once. There is one exception, in which nothing can
 * have been spent: a client whose id or secret has special characters, and is refused as they were written (encoded or raw), is
 * tried once more the other way; if that is better, `learnt` says so under `client-auth`.
 */
export async function postToken(world: World, post: TokenPost): Promise<RawAnswer | NoAnswer> {
  const answer = await postOnce(world, post, post.auth);
  if (answer.kind === 'none' || !isClientRefusal(answer)) return answer;
  const other = otherEncoding(post.clientId, post.auth);
  if (other === undefined) return answer;
  const again = await postOnce(world, post, other);
  if (again.kind === 'none' || isClientRefusal(again)) return again;
  return { ...again, learnt: { 'client-auth': other.encoding } };
}

async function postOnce(world: World, post: TokenPost, auth: ResolvedClientAuth): Promise<RawAnswer | NoAnswer> {
  const audience = post.issuer ?? post.url;
  let proof: ClientProof;
  try {
    proof = await applyClientAuth(world, post.form, { clientId: post.clientId, auth, audience });
  } catch (thrown) {
    return { kind: 'none', sent: 'no', fault: asFault(thrown, `proving client ${post.clientId} to ${audience}`) };
  }
  const answer = await world.http.send({
    method: 'POST',
    url: new URL(post.url),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...proof.headers },
    body: post.form.toString(),
    timeout: post.timeout,
    maxBytes: largestAnswer,
    connection: post.connection,
    ...(post.caFile === undefined ? {} : { caFile: post.caFile }),
    ...(post.signal === undefined ? {} : { signal: post.signal }),
  });
  if (answer.kind === 'no-answer') return { kind: 'none', sent: answer.sent, fault: answer.fault };
  return {
    kind: 'raw',
    status: answer.status,
    headers: answer.headers,
    body: answer.body,
    sentAt: answer.sentAt,
    receivedAt: answer.receivedAt,
    asked: { url: post.url, secrets: [...proof.secrets, ...(post.secrets ?? [])] },
  };
}

function isClientRefusal(answer: RawAnswer): boolean {
  return (answer.status === 400 || answer.status === 401) && textOf(answer, 'error') === 'invalid_client';
}
