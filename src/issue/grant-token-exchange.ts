import type { JsonValue } from '../mint/policy.ts';
import type { Form } from '../serve/form.ts';
import type { Session } from '../store/database.ts';
import { isForEveryone } from '../token/audience.ts';
import { groupsOf } from '../token/groups.ts';
import type { RefreshToken } from '../token/secret.ts';
import { after, type Epoch } from '../token/time.ts';
import { type AskedTarget, askedTarget } from './asked-target.ts';
import type { Client } from './client.ts';
import type { ClientRequest } from './client-request.ts';
import type { Family } from './family-table.ts';
import { handOn, type Rights } from './handed-on.ts';
import { holdToken, isRevoked, type OwnToken } from './own-tokens.ts';
import { type RefreshTimes, refreshEnd } from './refresh-rotation.ts';
import { beginFamily, newRefreshToken } from './refresh-table.ts';
import type { ServerDesk } from './server-desk.ts';
import { signForClient } from './sign-for-client.ts';
import { type Refusal, refusal, type TokenGrant } from './token-grant.ts';

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const jwtType = 'urn:ietf:params:oauth:token-type:jwt';
const exchangeType = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Who acted for whom, at most: a chain that is longer is a loop between services. */
const mostActors = 8;

/**
 * RFC 8693: a token of ours in, a smaller one out: no scope, group or life beyond that of the token it is made from, and for
 * audiences that the client was registered for. With `offline_access` it brings a refresh token, if the client may have one.
 */
export function tokenExchangeGrant(desk: ServerDesk, times: RefreshTimes): TokenGrant {
  return {
    type: exchangeType,
    needs: 'token_exchange',
    async answer(request) {
      const subject = await subjectToken(desk, request);
      if ('kind' in subject) return subject;
      const asked = askedTarget(request.form);
      if ('kind' in asked) return asked;
      const smaller = smallerThan(subject, asked, request.known.client);
      if ('kind' in smaller) return smaller;
      const { offline, ...target } = smaller;
      const actors = actorClaim(subject, request.known.client);
      if ('kind' in actors) return actors;
      const now = desk.world.clock.now();
      let refresh: { readonly token: RefreshToken; readonly endsAt: Epoch } | undefined;
      const signed = await signForClient(
        desk,
        request,
        { subject: subject.subject, ...target, notAfter: subject.expiresAt, claims: { ...actors } },
        async (session) => {
          const { engine } = desk.issuer;
          await holdToken(session, engine, subject.jti);
          if (await isRevoked(session, subject.jti)) return refusal('invalid_request', 'the subject token was revoked');
          if (offline) refresh = await firstRefresh(desk, session, { request, subject, target, actors, now, times });
          return undefined;
        },
      );
      if (signed.kind !== 'signed') return signed;
      return {
        kind: 'issued',
        minted: signed.minted,
        issuedTokenType: accessTokenType,
        ...(refresh === undefined ? {} : { refresh }),
      };
    },
  };
}

/** The token to be exchanged: ours, alive, and in the hands of somebody it was meant for (ISS-17). */
async function subjectToken(desk: ServerDesk, { form, known }: ClientRequest): Promise<OwnToken | Refusal> {
  const unfit = unfitTypes(form);
  if (unfit !== undefined) return refusal('invalid_request', unfit);
  const token = await desk.tokens.read(form.one('subject_token') ?? '');
  if (token === undefined) {
    return refusal('invalid_request', 'the subject token is not an access token of this issuer, or has ended');
  }
  if (!isMeantFor(token, known.client, desk.urls.issuer)) {
    return refusal('invalid_request', 'the subject token was not given to this client, and is not meant for it');
  }
  return token;
}

function unfitTypes(form: Form): string | undefined {
  if (form.one('subject_token') === undefined) return 'subject_token is missing';
  const type = form.one('subject_token_type');
  if (type === undefined) return 'subject_token_type is missing';
  if (type !== accessTokenType && type !== jwtType) return 'only access tokens are exchanged here';
  if (form.one('actor_token') !== undefined) return 'actor_token is not supported: the client itself is the actor';
  const wanted = form.one('requested_token_type');
  if (wanted !== undefined && wanted !== accessTokenType && wanted !== jwtType)
    return 'only access tokens are given here';
  return undefined;
}

/** `may_act` decides where it is there (RFC 8693 section 4.4); else it is the client's own, or for it, for the issuer, or for everybody. */
function isMeantFor(token: OwnToken, client: Client, issuer: string): boolean {
  const { may_act: mayAct } = token.claims;
  if (mayAct !== undefined) return isObject(mayAct) && mayAct['sub'] === client.id;
  if (token.clientId === client.id) return true;
  return token.audiences.some(
    (audience) =>
      audience === issuer || audience === client.id || client.serves.includes(audience) || isForEveryone(audience),
  );
}

interface Smaller extends Rights {
  readonly audiences: readonly string[];
  readonly everyone: boolean;
  /** A refresh token is wanted, too. */
  readonly offline: boolean;
}

function smallerThan(token: OwnToken, asked: AskedTarget, client: Client): Smaller | Refusal {
  const offline = asked.scopes?.includes('offline_access') ?? false;
  if (offline && !client.grants.includes('refresh_token')) {
    return refusal('invalid_scope', 'this client is not registered for refresh tokens (offline_access)');
  }
  const claim = groupsOf(token.claims);
  const held = { scopes: token.scopes, groups: 'refused' in claim ? [] : claim };
  const rights = handOn(held, asked.scopes, 'the subject token');
  if ('kind' in rights) return rights;
  const forAll = token.audiences.some(isForEveryone);
  if (asked.everyone && !forAll) {
    return refusal(
      'invalid_target',
      'the subject token is not for every service, so that no token for every service comes of it',
    );
  }
  const own = asked.audiences.length === 0;
  return {
    ...rights,
    audiences: own ? token.audiences : asked.audiences,
    everyone: own ? forAll : asked.everyone,
    offline,
  };
}

/** A claim `act`, or none. */
type Actors = Pick<Family, 'act'>;

/** The actor is the client; those before it are kept inside, for people who look, and decide nothing (RFC 8693 section 4.1). */
function actorClaim(token: OwnToken, { id }: Client): Actors | Refusal {
  const before = token.claims['act'] as JsonValue | undefined;
  if (chainLength(before) >= mostActors) return refusal('invalid_request', 'the subject token was exchanged too often');
  if (token.clientId === id) return before === undefined ? {} : { act: before };
  return { act: { sub: id, ...(before === undefined ? {} : { act: before }) } };
}

function chainLength(act: unknown): number {
  let length = 0;
  for (let actor = act; isObject(actor) && length < mostActors; actor = actor['act']) length += 1;
  return length;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

interface Beginning {
  readonly request: ClientRequest;
  readonly subject: OwnToken;
  readonly target: Omit<Smaller, 'offline'>;
  readonly actors: Actors;
  readonly now: Epoch;
  readonly times: RefreshTimes;
}

async function firstRefresh(
  { world }: ServerDesk,
  session: Session,
  { request, subject, target, actors, now, times }: Beginning,
): Promise<{ readonly token: RefreshToken; readonly endsAt: Epoch }> {
  const endsAt = after(now, times.cap);
  const family: Family = {
    id: world.random.id(),
    client: request.known.client.id,
    subject: subject.subject,
    ...target,
    ...actors,
    startedAt: now,
    endsAt,
  };
  const first = { token: newRefreshToken(world.random), endsAt: refreshEnd(now, endsAt, times) };
  await beginFamily(session, family, first.token, { now, endsAt: first.endsAt });
  return first;
}
