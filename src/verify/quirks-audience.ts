import { audiencesOf, everyone } from '../token/audience.ts';
import { type Refused, refusedFor, type ServiceSetting } from './explanation.ts';
import type { Claims, LibraryProfile } from './quirks-profiles.ts';

/** A wildcard counts in its own profile only. */
const wildcards: Readonly<Record<LibraryProfile, string | undefined>> = {
  scitokens1: undefined,
  scitokens2: everyone.scitokens,
  wlcg: everyone.wlcg,
  'at+jwt': undefined,
};

/** Why libscitokens takes a token not to be for the service; compared letter by letter. */
export function audienceRefusal(
  claims: Claims,
  profile: LibraryProfile,
  audiences: ServiceSetting['audiences'],
): Refused | undefined {
  if (audiences === 'assumed') return undefined;
  if (claims['aud'] === undefined) return audiences.length === 0 ? undefined : missing(audiences);
  const found = audiencesOf(claims);
  if (found === undefined) {
    return refusedFor('aud', 'aud is neither text nor a list of texts', { log: 'std::bad_cast', turn: 'issuer' });
  }
  const fits = found.some((one) => audiences.includes(one) || one === wildcards[profile]);
  return fits ? undefined : other(found, profile, audiences);
}

function missing(audiences: readonly string[]): Refused {
  return refusedFor('aud', 'the token has no audience, and the service demands its own', {
    log: "'aud' claim is mandatory",
    fix: `ask for a token with the audience ${audiences[0]}`,
    turn: 'user',
  });
}

function other(found: readonly string[], profile: LibraryProfile, audiences: readonly string[]): Refused {
  const log = "'aud' claim verification failed.";
  const has = found.length === 0 ? 'an empty list of audiences' : `the audience ${found.join(', ')}`;
  if (audiences.length === 0) {
    return refusedFor(
      'aud',
      `the token has ${has}, and the service has no audience configured, so that no audience is its own`,
      {
        log,
        fix: `set audience = ${found[0] ?? 'the address of the service'}`,
        turn: 'site',
      },
    );
  }
  const wildcard = found.find((one) => one === everyone.scitokens || one === everyone.wlcg);
  const why =
    wildcard === undefined
      ? `the token has ${has}, and the service is ${audiences.join(', ')}`
      : `the token's audience ${wildcard} means every service in another profile only, and this token is judged by ${profile}`;
  return refusedFor('aud', why, { log, fix: `ask for a token with the audience ${audiences[0]}`, turn: 'user' });
}
