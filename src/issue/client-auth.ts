import { hash, timingSafeEqual } from 'node:crypto';
import { type Form, formDecode } from '../serve/form.ts';
import type { Database } from '../store/database.ts';
import type { Epoch } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import {
  type AssertionRule,
  assertedClient,
  assertionType,
  judgeAssertion,
  spendAssertion,
} from './client-assertion.ts';
import type { ClientDirectory, KnownClient } from './client-directory.ts';

/** How a client says who it is (RFC 6749 section 2.3, RFC 7523 section 2.2). */
export type Presented =
  | { readonly kind: 'secret'; readonly id: string; readonly secret: string; readonly by: 'basic' | 'post' }
  | { readonly kind: 'assertion'; readonly id: string; readonly assertion: string }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unclear'; readonly why: string };

export type Authentication =
  | { readonly kind: 'client'; readonly known: KnownClient }
  /** `why` is for the log of the server; the client hears the same sentence in every case (ISS-14). */
  | { readonly kind: 'refused'; readonly claimed: string | undefined; readonly why: string; readonly replayed: boolean }
  | { readonly kind: 'unclear'; readonly why: string };

export interface ClientDesk {
  readonly directory: ClientDirectory;
  readonly database: Database;
  readonly clock: Pick<Clock, 'now'>;
  /** The audiences an assertion may have. */
  readonly audiences: readonly string[];
}

/** What is compared where there is no such client, or no secret of it: the same work, and never equal. */
const noSecret = [{ hash: Buffer.alloc(32), until: Number.POSITIVE_INFINITY }] as const;

/**
 * Finds out which client asks. Unknown clients and wrong secrets take the same way: nobody is refused on what is remembered, so
 * that both cost one look into the database, and a comparison before and after it.
 */
export async function authenticate(
  desk: ClientDesk,
  authorization: string | undefined,
  form: Form,
): Promise<Authentication> {
  const presented = readPresented(authorization, form);
  if (presented.kind === 'unclear') return presented;
  if (presented.kind === 'nothing') return refused(undefined, 'it did not say who it is');
  const remembered = desk.directory.remembered(presented.id);
  const rightAsRemembered = presented.kind === 'secret' && hasSecret(remembered, presented.secret, desk);
  if (rightAsRemembered && remembered !== undefined) return { kind: 'client', known: remembered };
  const known = await desk.directory.look(presented.id);
  if (presented.kind === 'assertion') return await byAssertion(desk, presented, known);
  const right = hasSecret(known, presented.secret, desk);
  return known !== undefined && right ? { kind: 'client', known } : refused(presented.id, 'unknown, or a wrong secret');
}

const refused = (claimed: string | undefined, why: string, replayed = false): Authentication => ({
  kind: 'refused',
  claimed,
  why,
  replayed,
});

export function readPresented(authorization: string | undefined, form: Form): Presented {
  const basic = authorization === undefined ? undefined : readBasic(authorization);
  const secret = form.one('client_secret');
  const assertion = form.one('client_assertion');
  const ways = [basic, secret, assertion].filter((way) => way !== undefined).length;
  if (ways > 1) return { kind: 'unclear', why: 'a client proves itself in one way at a time' };
  const id = form.one('client_id');
  if (assertion !== undefined) return ofAssertion(assertion, form.one('client_assertion_type'), id);
  if (basic?.kind === 'secret' && id !== undefined && id !== basic.id) {
    return { kind: 'unclear', why: 'client_id is another one than in the Authorization header' };
  }
  if (basic !== undefined) return basic;
  if (id === undefined || secret === undefined) return { kind: 'nothing' };
  return { kind: 'secret', id, secret, by: 'post' };
}

function ofAssertion(assertion: string, type: string | undefined, id: string | undefined): Presented {
  if (type !== assertionType) return { kind: 'unclear', why: `client_assertion_type has to be ${assertionType}` };
  const asserted = assertedClient(assertion);
  if (asserted === undefined) return { kind: 'unclear', why: 'client_assertion is not a JWT with a sub' };
  if (id !== undefined && id !== asserted) return { kind: 'unclear', why: 'client_id is not the sub of the assertion' };
  return { kind: 'assertion', id: asserted, assertion };
}

/** Id and secret are form-encoded by the book (RFC 6749 section 2.3.1), and raw in practice: what cannot be decoded is taken as it is. */
function readBasic(authorization: string): Presented {
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(authorization)?.[1];
  if (encoded === undefined) return { kind: 'unclear', why: 'the Authorization header is not of scheme Basic' };
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return { kind: 'unclear', why: 'the Authorization header has no colon in it' };
  const [id, secret] = [text.slice(0, colon), text.slice(colon + 1)];
  return { kind: 'secret', id: formDecode(id) ?? id, secret: formDecode(secret) ?? secret, by: 'basic' };
}

function hasSecret(known: KnownClient | undefined, secret: string, { clock }: ClientDesk): boolean {
  const given = hash('sha256', secret, 'buffer');
  const secrets = known === undefined || known.secrets.length === 0 ? noSecret : known.secrets;
  const now: Epoch = clock.now();
  let found = false;
  for (const { hash: expected, until } of secrets) {
    const equal = timingSafeEqual(expected, given);
    found ||= equal && until > now;
  }
  return found;
}

function keyOf(known: KnownClient | undefined): AssertionRule['key'] {
  if (known?.client.proof.kind !== 'key' || known.key === undefined) return undefined;
  return { public: known.key, algorithm: known.client.proof.jwk.alg };
}

async function byAssertion(
  desk: ClientDesk,
  { id, assertion }: Extract<Presented, { kind: 'assertion' }>,
  known: KnownClient | undefined,
): Promise<Authentication> {
  const rule = { clientId: id, key: keyOf(known), audiences: desk.audiences, now: desk.clock.now() };
  const answer = await judgeAssertion(assertion, rule);
  if (known === undefined || rule.key === undefined) return refused(id, 'unknown, or without a key');
  if (answer.kind === 'refused') return refused(id, answer.why);
  const spent = { clientId: id, jti: answer.jti, until: answer.until };
  const first = await desk.database.write((session) => spendAssertion(session, spent));
  return first ? { kind: 'client', known } : refused(id, 'the assertion was used before', true);
}
