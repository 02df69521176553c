import { type Refused, refusedFor } from './explanation.ts';

export type Claims = Readonly<Record<string, unknown>>;

export type LibraryProfile = 'scitokens1' | 'scitokens2' | 'wlcg' | 'at+jwt';

type ProfileAnswer = {
  readonly kind: 'profile';
  readonly profile: LibraryProfile;
  readonly remarks: readonly string[];
};

/** By which profile libscitokens judges: `ver` wins over `wlcg.ver`, which has to be exactly 1.0; without either it is SciTokens 1. */
export function libraryProfile(header: Claims, claims: Claims): ProfileAnswer | Refused {
  const answer = (profile: LibraryProfile, ...remarks: string[]): ProfileAnswer => ({
    kind: 'profile',
    profile,
    remarks,
  });
  const { ver, aud } = claims;
  if (ver !== undefined) {
    if (ver === 'scitokens:2.0' || ver === 'scitoken:2.0') {
      if (aud === undefined) return withoutAudience('SciTokens 2.0');
      const both = 'wlcg.ver' in claims ? ['ver is looked at and wlcg.ver is not, since both are there'] : [];
      return answer('scitokens2', ...both);
    }
    return ver === 'scitokens:1.0' ? firstScitokens(claims) : unknownVersion('ver', 'profile', ver, 'scitokens:2.0');
  }
  if ('wlcg.ver' in claims) {
    if (claims['wlcg.ver'] !== '1.0') return unknownVersion('wlcg.ver', 'WLCG profile', claims['wlcg.ver'], '1.0');
    return aud === undefined ? withoutAudience('WLCG') : answer('wlcg');
  }
  if (/^(application\/)?at\+jwt$/.test(String(header['typ']))) {
    return answer('at+jwt', 'it is taken for a token of RFC 9068, in which the words of WLCG are not understood');
  }
  return firstScitokens(claims);
}

const knownToFirst = ['iat', 'nbf', 'exp', 'ver', 'iss', 'jti', 'sub', 'opt', 'aud', 'scope'];

function firstScitokens(claims: Claims): ProfileAnswer | Refused {
  const odd = Object.keys(claims).find((name) => !knownToFirst.includes(name));
  const remarks = 'ver' in claims ? [] : ['without ver and wlcg.ver it is taken for a token of SciTokens 1'];
  if (odd === undefined) return { kind: 'profile', profile: 'scitokens1', remarks };
  return refusedFor(
    odd,
    `${'ver' in claims ? '' : 'without ver and wlcg.ver it is a token of SciTokens 1, and '}SciTokens 1 refuses claims it does not know: ${odd}`,
    {
      log: `'${odd}' claim verification is mandatory`,
      fix: 'add "wlcg.ver": "1.0", or "ver": "scitoken:2.0"',
      turn: 'issuer',
    },
  );
}

function withoutAudience(profile: string): Refused {
  return refusedFor('aud', `the token has no audience, which ${profile} demands`, {
    log: `Malformed token: 'aud' claim required for ${profile} profile`,
    fix: 'ask for a token with the audience of the service',
    turn: 'user',
  });
}

function unknownVersion(claim: string, profile: string, found: unknown, wanted: string): Refused {
  if (typeof found !== 'string') {
    return refusedFor(claim, `${claim} is not text`, {
      log: 'std::bad_cast',
      fix: `write "${claim}": "${wanted}"`,
      turn: 'issuer',
    });
  }
  const note =
    claim === 'wlcg.ver' && /^1\.\d+$/.test(found) ? ', although the profile says to accept newer minor versions' : '';
  return refusedFor(claim, `${claim} is ${found}, and libscitokens knows no version but ${wanted}${note}`, {
    log: `Unknown ${profile} version in token: ${found}`,
    fix: `write "${claim}": "${wanted}"`,
    turn: 'issuer',
  });
}
