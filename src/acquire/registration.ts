import { Fault } from '../fault/fault.ts';
import { type ClientSecret, Secret } from '../token/secret.ts';
import type { Millis } from '../token/time.ts';
import type { HttpAnswer } from '../world/http.ts';
import type { World } from '../world/world.ts';
import { parseObject } from './answer-json.ts';
import { registeredRedirect } from './code-login.ts';
import { cleanWords } from './issuer-words.ts';
import { laterFault } from './later.ts';
import type { IssuerMetadata } from './metadata.ts';

export interface RegistrationWish {
  readonly metadata: IssuerMetadata;
  /** Such as `tokeep:atlas-pilot-login01`: who looks at the issuer's list of clients finds the machine. */
  readonly clientName: string;
  readonly scope: readonly string[];
  /** Where a browser may be sent back to; unless told, the place our own login listens at. */
  readonly redirects?: readonly string[];
  /** RFC 7591 section 1.2, for issuers that do not let everybody register. */
  readonly initialAccessToken?: Secret<'access_token'>;
  readonly caFile?: string;
  readonly timeout: Millis;
  readonly signal: AbortSignal;
}

export type ClientAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'none';

export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret: ClientSecret | undefined;
  readonly authMethod: ClientAuthMethod;
  /** What the issuer made of the scope asked for, if it says. */
  readonly scope: readonly string[] | undefined;
  /** With these the client can be looked at, changed and deleted (RFC 7592). */
  readonly registrationToken: Secret<'registration_token'> | undefined;
  readonly registrationUri: string | undefined;
}

export type RegistrationOutcome =
  | { readonly kind: 'registered'; readonly client: RegisteredClient }
  /** Then somebody has to give client id and secret; the fault says why. */
  | { readonly kind: 'not-registered'; readonly fault: Fault; readonly oauthError?: string };

const wantedGrants = ['urn:ietf:params:oauth:grant-type:device_code', 'authorization_code', 'refresh_token'];
const wantedMethods: readonly ClientAuthMethod[] = ['client_secret_basic', 'client_secret_post', 'none'];

/** Dynamic client registration (RFC 7591). Goes out once: a repeated request would leave a second client behind. */
export async function registerClient(world: World, wish: RegistrationWish): Promise<RegistrationOutcome> {
  const endpoint = wish.metadata.registrationEndpoint;
  if (endpoint === undefined) {
    return refused('issuer-unsupported', `${wish.metadata.issuer} does not let clients register themselves`);
  }
  const token = wish.initialAccessToken;
  const answer = await world.http.send({
    method: 'POST',
    url: new URL(endpoint),
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
    },
    body: JSON.stringify(registrationRequest(wish)),
    timeout: wish.timeout,
    maxBytes: 256 * 1024,
    connection: 'pooled',
    signal: wish.signal,
    ...(wish.caFile === undefined ? {} : { caFile: wish.caFile }),
  });
  if (answer.kind === 'no-answer') return { kind: 'not-registered', fault: answer.fault };
  return readRegistration(answer, new URL(endpoint).origin, token === undefined ? [] : [token]);
}

/** What is asked for, cut down to what the issuer says it supports. Lists it does not publish mean RFC 8414's defaults. */
export function registrationRequest(wish: RegistrationWish): Readonly<Record<string, unknown>> {
  const { grantTypesSupported: grants, tokenEndpointAuthMethodsSupported: methods } = wish.metadata;
  const grantTypes = grants === undefined ? wantedGrants : wantedGrants.filter((grant) => grants.includes(grant));
  const code = grantTypes.includes('authorization_code');
  const method = wantedMethods.find((candidate) => methods?.includes(candidate)) ?? 'client_secret_basic';
  return {
    client_name: wish.clientName,
    // A redirect to http on this machine is for native clients only (OpenID Connect Registration section 2).
    application_type: 'native',
    grant_types: grantTypes,
    response_types: code ? ['code'] : [],
    redirect_uris: code ? (wish.redirects ?? [registeredRedirect]) : [],
    token_endpoint_auth_method: method,
    ...(wish.scope.length === 0 ? {} : { scope: wish.scope.join(' ') }),
  };
}

function readRegistration(answer: HttpAnswer, where: string, secrets: readonly Secret[]): RegistrationOutcome {
  const said = parseObject(answer.body);
  const text = (member: string): string | undefined => {
    const value = said?.[member];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const clientId = text('client_id');
  if (answer.status >= 300 || clientId === undefined) return refusedBy(answer, where, text, secrets);
  const clientSecret = text('client_secret');
  const token = text('registration_access_token');
  return {
    kind: 'registered',
    client: {
      clientId,
      clientSecret: clientSecret === undefined ? undefined : new Secret('client_secret', clientSecret),
      authMethod: methodOf(text('token_endpoint_auth_method'), clientSecret !== undefined),
      scope: text('scope')?.split(' ').filter(Boolean),
      registrationToken: token === undefined ? undefined : new Secret('registration_token', token),
      registrationUri: text('registration_client_uri'),
    },
  };
}

/** The issuer may have changed what was asked for; what it says counts, and without a secret there is nothing to prove. */
function methodOf(said: string | undefined, hasSecret: boolean): ClientAuthMethod {
  if (!hasSecret) return 'none';
  return wantedMethods.find((method) => method === said) ?? 'client_secret_basic';
}

function refusedBy(
  answer: HttpAnswer,
  where: string,
  text: (member: string) => string | undefined,
  secrets: readonly Secret[],
): RegistrationOutcome {
  const later = laterFault(answer, where);
  if (later !== undefined) return { kind: 'not-registered', fault: later.fault };
  const words = [text('error'), text('error_description')].filter((part) => part !== undefined).join(': ');
  const found = words === '' ? `status ${answer.status}` : cleanWords(words, secrets);
  const oauthError = text('error');
  return {
    ...refused('request-refused', `${where} did not register a client for us: ${found}`),
    ...(oauthError === undefined ? {} : { oauthError }),
  };
}

const refused = (code: 'request-refused' | 'issuer-unsupported', sentence: string): RegistrationOutcome => ({
  kind: 'not-registered',
  fault: new Fault(code, sentence, {
    hint: 'have a client made by the issuer and give its id and secret (--client-id, --client-secret-file)',
  }),
});
