import type { JsonValue } from '../mint/policy.ts';
import type { Session } from '../store/database.ts';
import { isForEveryone } from '../token/audience.ts';
import { type ParsedScope, parseScope } from '../token/capability.ts';
import { groupsOf, selectGroups } from '../token/groups.ts';
import { narrow } from '../token/narrowing.ts';
import type { RefreshToken } from '../token/secret.ts';
import { after, type Epoch } from '../token/time.ts';
import { type AskedTarget, askedTarget } from './asked-target.ts';
import type { Client } from './client.ts';
import type { ClientRequest } from './client-request.ts';
import type { Form } from './form.ts';
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
      const act = actorClaim(subject, request.known.client);
      if (act !== undefined && 'kind' in act) return act;
      const now = desk.world.clock.now();
      let refresh: { readonly token: RefreshToken; readonly endsAt: Epoch } | undefined;
      const signed = await signForClient(
        desk,
        request,
        { subject: subject.subject, ...target, notAfter: subject.expiresAt, claims: act?.claims ?? {} },
        async (session) => {
          const { engine } = desk.issuer;
          await holdToken(session, engine, subject.jti);
          if (await isRevoked(session, subject.jti)) return refusal('invalid_request', 'the subject token was revoked');
          if (offline) refresh = await firstRefresh(desk, session, { request, subject, target, now, times });
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

interface Smaller {
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
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
  const words = asked.scopes?.filter((scope) => scope !== 'offline_access') ?? [];
  // Who names nothing (or offline_access alone) gets what the token has.
  const wanted = (words.length === 0 ? token.scopes : words).map(parseScope);
  const capabilities = wanted.filter((scope) => !isGroup(scope));
  const narrowed = narrow(token.scopes.map(parseScope), capabilities);
  if (narrowed.kind === 'wider') {
    const wider = narrowed.scopes.map(({ text }) => text).join(' ');
    return refusal('invalid_scope', `the subject token does not hold ${wider}`);
  }
  const groups = smallerGroups(token, words.length === 0 ? undefined : wanted);
  if ('kind' in groups) return groups;
  const forAll = token.audiences.some(isForEveryone);
  if (asked.everyone && !forAll) {
    return refusal(
      'invalid_target',
      'the subject token is not for every service, so that no token for every service comes of it',
    );
  }
  const own = asked.audiences.length === 0;
  return {
    scopes: capabilities.map(({ text }) => text),
    groups: groups.kept,
    audiences: own ? token.audiences : asked.audiences,
    everyone: own ? forAll : asked.everyone,
    offline,
  };
}

/** Those asked for, in that order; all of them where nothing was asked for. */
function smallerGroups(
  token: OwnToken,
  wanted: readonly ParsedScope[] | undefined,
): { readonly kept: readonly string[] } | Refusal {
  const claim = groupsOf(token.claims);
  const held = 'refused' in claim ? [] : claim;
  if (wanted === undefined) return { kept: held };
  const asked = wanted.filter(isGroup);
  // The defaults are only for who says `wlcg.groups`: whoever names groups wants no others.
  const plain = asked.some((scope) => scope.kind === 'groups' && scope.group === undefined);
  const selected = selectGroups(asked, held, plain ? held : []);
  if (selected.kind === 'groups') return { kept: selected.groups };
  return refusal('access_denied', `the subject token is not of ${selected.groups.join(', ')}`);
}

const isGroup = ({ kind }: ParsedScope): boolean => kind === 'groups';

/** The actor is the client; those before it are kept inside, for people who look, and decide nothing (RFC 8693 section 4.1). */
function actorClaim(
  token: OwnToken,
  { id }: Client,
): { readonly claims: Record<string, JsonValue> } | Refusal | undefined {
  const before = token.claims['act'] as JsonValue | undefined;
  if (chainLength(before) >= mostActors) return refusal('invalid_request', 'the subject token was exchanged too often');
  if (token.clientId === id) return before === undefined ? undefined : { claims: { act: before } };
  return { claims: { act: { sub: id, ...(before === undefined ? {} : { act: before }) } } };
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
  readonly now: Epoch;
  readonly times: RefreshTimes;
}

async function firstRefresh(
  { world }: ServerDesk,
  session: Session,
  { request, subject, target, now, times }: Beginning,
): Promise<{ readonly token: RefreshToken; readonly endsAt: Epoch }> {
  const endsAt = after(now, times.cap);
  const { scopes, audiences, everyone } = target;
  const family = {
    id: world.random.id(),
    client: request.known.client.id,
    subject: subject.subject,
    scopes,
    audiences,
    everyone,
    startedAt: now,
    endsAt,
  };
  const first = { token: newRefreshToken(world.random), endsAt: refreshEnd(now, endsAt, times) };
  await beginFamily(session, family, first.token, { now, endsAt: first.endsAt });
  return first;
}
