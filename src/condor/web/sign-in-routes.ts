import type { FastifyInstance } from 'fastify';
import type { ResolvedClientAuth } from '../../acquire/client-auth.ts';
import { asClient, authOf } from '../../acquire/login.ts';
import type { IssuerMetadata } from '../../acquire/metadata.ts';
import { metadataCacheOf } from '../../acquire/metadata-cache.ts';
import { readSecret } from '../../config/secret-source.ts';
import { Form } from '../../serve/form.ts';
import { seconds } from '../../token/time.ts';
import { isRequestFileName } from '../request-file.ts';
import { authorizationRequest, newProofs } from './authorization-request.ts';
import type { WebDesk } from './desk.ts';
import { exchangeCode } from './exchange-code.ts';
import { localUserOf, type OidcLogin } from './local-user-of.ts';
import { judgeRedirect, readRedirect } from './redirect-answer.ts';
import { Visit } from './visit.ts';
import { idTokenClaims } from './who-logged-in.ts';

/** Registered at the site's issuer as `<prefix>/signed-in`. */
export const signedInPath = '/signed-in';

/** The site's own login, before anybody may say that they are alice (TOKEEP_WEB_LOGIN = oidc). */
export function addSignInRoutes(app: FastifyInstance, desk: WebDesk, login: OidcLogin): void {
  app.post('/sign-in', async (request, reply) => await signIn(new Visit(desk, request, reply), login));
  app.get(signedInPath, async (request, reply) => await signedIn(new Visit(desk, request, reply), login));
}

const returnUrlOf = ({ web }: WebDesk): string => `${web.prefix}${signedInPath}`;

const scopeOf = ({ scope }: OidcLogin): readonly string[] => scope.split(/\s+/).filter((one) => one !== '');

async function metadataOf(desk: WebDesk, { issuer }: OidcLogin): Promise<IssuerMetadata | undefined> {
  const outcome = await metadataCacheOf(desk.world).get({ issuer, timeout: seconds(10) });
  if (outcome.kind === 'metadata') return outcome.metadata;
  desk.log.event('web-issuer-away', { service: 'the login of the site', reason: outcome.fault.message });
  return undefined;
}

async function signIn(visit: Visit, login: OidcLogin) {
  const { desk, request } = visit;
  const form = request.body instanceof Form ? request.body.one('request') : undefined;
  if (form === undefined || !isRequestFileName(form)) return visit.refuse('unfit');
  const metadata = await metadataOf(desk, login);
  const endpoint = metadata?.authorizationEndpoint;
  if (metadata === undefined || endpoint === undefined) return visit.refuse('issuer-away');
  visit.setCookie(await desk.sessions.begin({}, visit.cookie));
  const session = await visit.session();
  if (session === undefined) return visit.refuse('no-session');
  const scope = scopeOf(login);
  const proofs = newProofs(desk.world.random, scope);
  const state = await desk.attempts.begin(session.hash, {
    purpose: { kind: 'site', request: form },
    ...proofs,
    issuer: login.issuer,
    issInRedirect: metadata.authorizationResponseIss === true,
  });
  const returnUrl = returnUrlOf(desk);
  const terms = { authorizationUrl: endpoint, clientId: login.clientId, returnUrl, audience: '', scope, state };
  return visit.leave(authorizationRequest({ ...terms, ...proofs }));
}

async function signedIn(visit: Visit, login: OidcLogin) {
  const { desk, request } = visit;
  const session = await visit.session();
  const returned = readRedirect(request.raw.url);
  const attempt = session && returned && (await desk.attempts.take(session.hash, returned.state));
  if (returned === undefined || attempt?.purpose.kind !== 'site') return visit.goTo('/stopped/not-here');
  const verdict = judgeRedirect(returned, attempt, new URL(login.issuer).host);
  const person =
    verdict.kind === 'refused'
      ? verdict
      : await personOfCode(desk, login, { code: verdict.code, verifier: attempt.verifier, nonce: attempt.nonce });
  if (typeof person !== 'string') {
    const { address } = visit;
    desk.log.event('web-login-refused', { user: 'somebody', service: 'this site', address, reason: person.why });
    return visit.goTo('/stopped/sign-in-failed');
  }
  visit.setCookie(await desk.sessions.begin({ person }, visit.cookie));
  desk.log.event('web-signed-in', { user: person, address: visit.address });
  return visit.goTo(`/key/${attempt.purpose.request}`);
}

type Code = Pick<Parameters<typeof exchangeCode>[1], 'code' | 'verifier'> & { readonly nonce: string | undefined };

async function personOfCode(
  desk: WebDesk,
  login: OidcLogin,
  { nonce, ...proof }: Code,
): Promise<string | { why: string }> {
  const { clientId, issuer } = login;
  const metadata = await metadataOf(desk, login);
  if (metadata === undefined) return { why: 'the issuer of the site does not answer' };
  const auth = await clientAuthOf(desk, login, metadata);
  const exchange = {
    tokenUrl: metadata.tokenEndpoint,
    clientId,
    auth,
    returnUrl: returnUrlOf(desk),
    scope: scopeOf(login),
  };
  const gained = await exchangeCode(desk.world, { ...exchange, ...proof });
  if (gained.kind === 'refused') return { why: gained.fault.message };
  if (gained.idToken === undefined)
    return { why: `${issuer} gave no ID token; TOKEEP_WEB_LOGIN needs the scope openid` };
  const read = idTokenClaims(gained.idToken, { clientId, nonce, issuer }, desk.world.clock.now());
  if (read.kind === 'refused') return read;
  const user = await localUserOf(desk.world, login, read.claims);
  return user ?? { why: `${read.subject} of ${issuer} is no local user by the claim ${login.claim}` };
}

async function clientAuthOf(desk: WebDesk, login: OidcLogin, metadata: IssuerMetadata): Promise<ResolvedClientAuth> {
  const { clientId, clientSecret: ref } = login;
  const clientSecret = ref === undefined ? undefined : await readSecret(desk.world, ref, 'client_secret');
  return authOf(asClient({ clientId, clientSecret }, metadata));
}
