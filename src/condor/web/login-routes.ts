import type { FastifyInstance } from 'fastify';
import type { ResolvedClientAuth } from '../../acquire/client-auth.ts';
import { metadataCacheOf } from '../../acquire/metadata-cache.ts';
import { asFault } from '../../fault/fault.ts';
import type { Secret } from '../../token/secret.ts';
import { seconds } from '../../token/time.ts';
import type { LoginRequest } from '../request-file.ts';
import { type AskedService, readAsked, removeRequest } from './asked.ts';
import type { Attempt } from './attempt-table.ts';
import { authorizationRequest, newProofs } from './authorization-request.ts';
import type { WebDesk } from './desk.ts';
import { type Exchanged, exchangeCode } from './exchange-code.ts';
import { keepLogin, progressOf } from './kept-login.ts';
import { isUser, personOf } from './person.ts';
import { judgeRedirect, mixedUp, type RedirectVerdict, readRedirect } from './redirect-answer.ts';
import { issuerHost, type LoginNote, scopesOf, serviceKey } from './service.ts';
import type { Task, WebSession } from './session-table.ts';
import { Visit } from './visit.ts';
import { type WhoLoggedIn, whoLoggedIn } from './who-logged-in.ts';

type Named = { Params: { service: string } };

/** To the issuer of a service, and back. */
export function addLoginRoutes(app: FastifyInstance, desk: WebDesk): void {
  app.post<Named>(
    '/login/:service',
    async (request, reply) => await start(new Visit(desk, request, reply), request.params.service),
  );
  // The shipped application begins a login with GET; a link may not do so here.
  app.get<Named>('/login/:service', async (request, reply) => new Visit(desk, request, reply).goTo('/'));
  app.get<Named>('/return/:service', async (request, reply) => await comeBack(new Visit(desk, request, reply)));
}

/** A session with its task, of somebody who may act for its user. */
interface Bound {
  readonly session: WebSession;
  readonly task: Task;
}

async function boundOf(visit: Visit): Promise<Bound | 'no-session' | 'other-user'> {
  const session = await visit.session();
  if (session?.task === undefined) return 'no-session';
  return isUser(personOf(visit, session), session.task.user) ? { session, task: session.task } : 'other-user';
}

async function askedService(desk: WebDesk, task: Task, fits: (one: AskedService) => boolean) {
  const asked = await readAsked(desk.world, desk.place, task.request);
  // A file that was replaced in between by one for somebody else is not ours any more.
  return asked.kind === 'asked' && asked.user === task.user ? asked.services.find(fits) : undefined;
}

async function start(visit: Visit, key: string) {
  const { desk } = visit;
  const bound = await boundOf(visit);
  if (typeof bound === 'string') return visit.refuse(bound);
  const found = await askedService(desk, bound.task, ({ service }) => serviceKey(service) === key);
  if (found === undefined) return visit.refuse('no-request');
  const { service, request } = found;
  const progress = await progressOf(desk.world, desk.place, bound.task.user, [service.name]);
  if (progress.get(service.name) !== 'waiting') return visit.goTo('/');
  const issuer = await issuerFacts(desk, service.provider);
  if (issuer === 'away') return visit.refuse('issuer-away');
  const scope = scopesOf(request.scopes);
  const proofs = newProofs(desk.world.random, scope);
  const purpose = { kind: 'service', name: service.name } as const;
  const state = await desk.attempts.begin(bound.session.hash, { purpose, ...proofs, ...issuer });
  const { authorizationUrl, clientId, returnUrl, audience } = request;
  return visit.leave(
    authorizationRequest({ authorizationUrl, clientId, returnUrl, audience, scope, state, ...proofs }),
  );
}

type IssuerFacts = Pick<Attempt, 'issuer' | 'issInRedirect'>;

/** What `iss` of the redirect has to be, where the site names the issuer (`<SVC>_ISSUER`); without its metadata nobody goes there. */
async function issuerFacts(desk: WebDesk, provider: string): Promise<IssuerFacts | 'away'> {
  const issuer = desk.oauth2(provider)?.issuer;
  if (issuer === undefined) return { issInRedirect: false };
  const outcome = await metadataCacheOf(desk.world).get({ issuer, timeout: seconds(10) });
  if (outcome.kind === 'failed') {
    desk.log.event('web-issuer-away', { service: provider, reason: outcome.fault.message });
    return 'away';
  }
  return { issuer, issInRedirect: outcome.metadata.authorizationResponseIss === true };
}

/** Answers with a redirect in every case, so that neither code nor state stay in the address bar (WEB-04). */
async function comeBack(visit: Visit) {
  const { desk, request } = visit;
  const bound = await boundOf(visit);
  if (typeof bound === 'string') return visit.goTo(`/stopped/${bound}`);
  const returned = readRedirect(request.raw.url);
  const attempt = returned && (await desk.attempts.take(bound.session.hash, returned.state));
  if (returned === undefined || attempt?.purpose.kind !== 'service') return visit.goTo('/stopped/not-here');
  const { name } = attempt.purpose;
  const found = await askedService(desk, bound.task, ({ service }) => service.name === name);
  if (found === undefined) return visit.goTo('/stopped/no-request');
  const verdict = cameBackTo(found.request, request.raw.url)
    ? judgeRedirect(returned, attempt, issuerHost(found.service))
    : elsewhere;
  const note =
    verdict.kind === 'refused'
      ? refused(visit, verdict.why, verdict.hint)
      : await settle(visit, bound.task, found, { attempt, code: verdict.code, iss: verdict.iss });
  await desk.sessions.note(bound.session.hash, name, (service) => ({ ...service, last: note }));
  if (note.kind === 'refused') {
    const { user } = bound.task;
    desk.log.event('web-login-refused', { user, service: name, address: visit.address, reason: note.why });
  } else {
    await tidyUp(desk, bound.task);
  }
  return visit.goTo('/');
}

/**
 * Is this the return address of the service that was asked? Each issuer has its own, so that a code which another issuer gave never goes to
 * this one, also where issuers do not name themselves (RFC 9700 section 4.4.2.2).
 */
const cameBackTo = ({ returnUrl }: LoginRequest, target = ''): boolean =>
  new URL(returnUrl).pathname === target.split('?', 1)[0];

const elsewhere: RedirectVerdict = {
  kind: 'refused',
  why: 'the answer came to the return address of another service; it was not used',
  hint: mixedUp,
};

const refused = ({ desk }: Visit, why: string, hint: string | undefined): LoginNote => ({
  kind: 'refused',
  at: desk.world.clock.now(),
  why,
  ...(hint === undefined ? {} : { hint }),
});

interface Answered {
  readonly attempt: Attempt;
  readonly code: Secret<'authorization_code'>;
  readonly iss: string | undefined;
}

/** The code for tokens; who it was; whether they may; and then, and only then, into the directory. */
async function settle(
  visit: Visit,
  task: Task,
  { service, request }: AskedService,
  answered: Answered,
): Promise<LoginNote> {
  const { desk } = visit;
  const { attempt, code, iss } = answered;
  const { clientId, tokenUrl, returnUrl, scopes, audience } = request;
  const auth = authOf(request);
  const exchange = { tokenUrl, clientId, auth, code, returnUrl, verifier: attempt.verifier, scope: scopesOf(scopes) };
  const gained = await exchangeCode(desk.world, exchange);
  if (gained.kind === 'refused')
    return refused(
      visit,
      gained.fault.message,
      'Try again. If it stays so, tell the administrator of this access point.',
    );
  const userUrl = desk.oauth2(service.provider)?.userUrl;
  const terms = { clientId, nonce: attempt.nonce, issuer: attempt.issuer ?? iss, tokenUrl, userUrl };
  const who = await whoLoggedIn(desk.world, gained, terms);
  const objection = await objectionTo(desk, task.user, service.provider, who);
  if (objection !== undefined) return refused(visit, objection.why, objection.hint);
  try {
    await keepLogin(desk.world, desk.place, { user: task.user, name: service.name, scopes, audience }, gained);
  } catch (thrown) {
    const { message } = asFault(thrown, 'keeping the login');
    return refused(visit, message, 'Tell the administrator of this access point.');
  }
  const known = who.kind === 'known' ? { issuer: who.issuer, subject: who.subject } : {};
  desk.log.event('web-login', { user: task.user, service: service.name, address: visit.address, ...known });
  return loggedIn(desk, gained, who);
}

function loggedIn(desk: WebDesk, { refreshToken, endsAt }: Exchanged, who: WhoLoggedIn): LoginNote {
  return {
    kind: 'logged-in',
    at: desk.world.clock.now(),
    ...(who.kind === 'known' ? { who: who.subject } : {}),
    ...(refreshToken === undefined ? { unrenewable: endsAt === undefined ? {} : { endsAt } } : {}),
  };
}

/** As the shipped application sends it: in the body. */
function authOf({ clientSecret: secret }: LoginRequest): ResolvedClientAuth {
  return secret.reveal() === '' ? { kind: 'none' } : { kind: 'client_secret_post', secret };
}

/** Who logged in first is who may: somebody else's link, mailed to you, does not make your rights theirs. */
async function objectionTo(desk: WebDesk, user: string, provider: string, who: WhoLoggedIn) {
  if (who.kind === 'refused') return { why: who.why, hint: 'Tell the administrator of this access point.' };
  const allow = `The administrator can allow it: tokeep credmon logins allow ${user} ${provider}`;
  if (who.kind === 'unknown') {
    const pin = await desk.pins.find(user, provider);
    if (pin === undefined) return undefined;
    return { why: 'the issuer did not say who logged in, and it did so before', hint: 'Try again later.' };
  }
  const answer = await desk.pins.judge(user, provider, who);
  if (answer.kind !== 'other') return undefined;
  // Whom it is pinned to is for the administrator: who sits here may be somebody with a link that is not theirs.
  const why = `this was ${who.subject}, and ${user} logged in here as somebody else before`;
  return { why, hint: `Log out at the issuer, and log in as the one you used before. ${allow}` };
}

/** The request file goes when nothing waits any more; condor_submit prints a new link if need be. */
async function tidyUp({ world, place }: WebDesk, { user, services, request }: Task): Promise<void> {
  const progress = await progressOf(
    world,
    place,
    user,
    services.map(({ name }) => name),
  );
  if ([...progress.values()].includes('waiting')) return;
  // If it cannot be removed, the credmon does so when it is old.
  await removeRequest(world, place, request).catch(() => {});
}
