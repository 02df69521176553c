import { safeEndpoint } from '../../acquire/metadata.ts';
import type { Epoch } from '../../token/time.ts';
import { credentialName } from '../credential-name.ts';
import type { LoginRequest } from '../request-file.ts';

/** One login of a request file, as far as a session remembers it: no secret. */
export interface Service {
  /** Of the files: `<provider>` or `<provider>_<handle>`. */
  readonly name: string;
  readonly provider: string;
  readonly handle?: string;
  /** Where one logs in. */
  readonly issuerOrigin: string;
  readonly scopes: string;
  readonly audience: string;
  readonly last?: LoginNote;
}

/** How the last login for a service ended. */
export type LoginNote =
  | {
      readonly kind: 'logged-in';
      readonly at: Epoch;
      readonly who?: string;
      readonly unrenewable?: { readonly endsAt?: Epoch };
    }
  | { readonly kind: 'refused'; readonly at: Epoch; readonly why: string; readonly hint?: string };

/** `provider` or `provider handle`, as in the addresses of the shipped web application. */
export const serviceKey = ({ provider, handle }: Pick<Service, 'provider' | 'handle'>): string =>
  handle === undefined ? provider : `${provider} ${handle}`;

/** For people. */
export const issuerHost = ({ issuerOrigin }: Pick<Service, 'issuerOrigin'>): string => new URL(issuerOrigin).host;

export const serviceTitle = ({ provider, handle }: Pick<Service, 'provider' | 'handle'>): string =>
  handle === undefined ? provider : `${provider}, handle ${handle}`;

/** Scopes as an issuer wants them: the shipped application splits at commas, and users write blanks, too. */
export const scopesOf = (scopes: string): readonly string[] => scopes.split(/[\s,]+/).filter((one) => one !== '');

/** What a request of condor_credd asks of a person; undefined for one that would lead out of the credential directory or into the clear. */
export function serviceOf(request: LoginRequest, specialNames: boolean): Service | undefined {
  const { provider, handle, scopes, audience, authorizationUrl, tokenUrl, returnUrl, localUser } = request;
  const name = handle === undefined ? provider : `${provider}_${handle}`;
  if (credentialName(localUser, name, { specialNames }) === undefined) return undefined;
  if (![authorizationUrl, tokenUrl, returnUrl].every(safeEndpoint)) return undefined;
  return {
    name,
    provider,
    ...(handle === undefined ? {} : { handle }),
    issuerOrigin: new URL(authorizationUrl).origin,
    scopes,
    audience,
  };
}
