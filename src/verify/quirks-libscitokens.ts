import { type PresentedToken, type Refused, refusedFor, type ServiceSetting } from './explanation.ts';
import { audienceRefusal } from './quirks-audience.ts';
import { keyRefusal, timeRefusal } from './quirks-keys-and-times.ts';
import { type Claims, type LibraryProfile, libraryProfile } from './quirks-profiles.ts';
import { libraryPath, type PathHabit } from './quirks-scope-paths.ts';

/** A release of libscitokens, by what it does otherwise than the others. */
export interface LibraryRelease {
  readonly version: string;
  readonly nbf: 'required' | 'optional';
  /** `integers`: a time with a fraction is a wrong type. */
  readonly times: 'integers' | 'numbers';
  readonly scopePaths: PathHabit;
}

export const libraries = {
  '0.7.3': { version: '0.7.3', nbf: 'required', times: 'integers', scopePaths: 'as written' },
  '1.1.3': { version: '1.1.3', nbf: 'optional', times: 'integers', scopePaths: 'as written' },
  '1.4.1': { version: '1.4.1', nbf: 'optional', times: 'numbers', scopePaths: 'decoded' },
} as const satisfies Record<string, LibraryRelease>;

export interface LibrarySetting extends ServiceSetting {
  /** Undefined: any issuer, which is for the service to judge. */
  readonly issuers?: readonly string[];
}

/** One right that the library reads in a token: `read` at `/data`, from `storage.read:/data`. */
export interface Acl {
  readonly authz: string;
  readonly path: string;
  readonly scope: string;
}

export interface Acls {
  readonly kind: 'acls';
  readonly acls: readonly Acl[];
  readonly profile: LibraryProfile;
  readonly remarks: readonly string[];
}

/**
 * What libscitokens says of a token, in the order in which it looks: claims and their types, issuer, key and signature, times, profile,
 * audience, scopes. Found by asking the releases themselves, black box; the header's `crit` is not looked at by any of them.
 */
export function askLibrary(token: PresentedToken, setting: LibrarySetting, release: LibraryRelease): Acls | Refused {
  const { claims, header, signature } = token;
  const broken =
    claimRefusal(claims, release) ??
    issuerRefusal(claims, setting.issuers) ??
    keyRefusal(signature) ??
    timeRefusal(claims, setting.now);
  if (broken !== undefined) return broken;
  const profile = libraryProfile(header, claims);
  if (profile.kind === 'refused') return profile;
  const unfit = audienceRefusal(claims, profile.profile, setting.audiences);
  if (unfit !== undefined) return unfit;
  const scopes = aclsOf(claims, profile.profile, release);
  if (scopes.kind === 'refused') return scopes;
  const assumed = [
    ...(signature.kind === 'unknown' ? [signature.why] : []),
    ...(setting.audiences === 'assumed'
      ? ['the audience was not compared, since the names of the service are not known']
      : []),
    ...('crit' in header ? ['the header demands extensions (crit), which are ignored here instead of refused'] : []),
  ];
  return { ...scopes, remarks: [...assumed, ...profile.remarks, ...scopes.remarks] };
}

function claimRefusal(claims: Claims, { nbf, times, version }: LibraryRelease): Refused | undefined {
  const mandatory = nbf === 'required' ? ['iat', 'nbf', 'exp', 'iss'] : ['iat', 'exp', 'iss'];
  for (const name of mandatory) {
    if (name in claims) continue;
    const hint = name === 'nbf' ? `libscitokens ${version} demands it; later releases do not` : 'it is mandatory';
    return refusedFor(name, `the token has no ${name}: ${hint}`, {
      log: `'${name}' claim is mandatory`,
      fix: name === 'nbf' ? 'put nbf into its tokens (or the site upgrades)' : `put ${name} into its tokens`,
      turn: 'issuer',
    });
  }
  for (const name of ['iat', 'nbf', 'exp']) {
    const value = claims[name];
    if (value === undefined || (typeof value === 'number' && (times === 'numbers' || Number.isInteger(value))))
      continue;
    const what = typeof value === 'number' ? 'a number with a fraction' : `not a number but ${JSON.stringify(value)}`;
    return refusedFor(name, `${name} is ${what}; it has to be whole seconds since 1970`, {
      log: 'std::bad_cast',
      fix: `write ${name} as whole seconds`,
      turn: 'issuer',
    });
  }
  return undefined;
}

function issuerRefusal({ iss }: Claims, issuers: readonly string[] | undefined): Refused | undefined {
  if (typeof iss !== 'string') return refusedFor('iss', 'iss is not text', { log: 'std::bad_cast', turn: 'issuer' });
  if (issuers === undefined || issuers.includes(iss)) return undefined;
  const rough = (text: string) => text.toLowerCase().replace(/\/+$/, '');
  const near = issuers.find((one) => rough(one) === rough(iss));
  const known = issuers.length === 0 ? 'it trusts no issuer' : `it trusts ${issuers.join(', ')}`;
  const why =
    near === undefined
      ? `the service does not trust the issuer ${iss}: ${known}`
      : `the token's issuer is ${iss} and the service trusts ${near}; they are compared letter by letter`;
  return refusedFor('iss', why, {
    log: `Token issuer ${iss} is not in list of allowed issuers.`,
    fix: `add it to the service's configuration exactly as the token has it: issuer = ${iss}`,
    turn: 'site',
  });
}

/** The words of WLCG are translated in tokens of WLCG only, into those that the services understand. */
const translated: ReadonlyMap<string, string> = new Map([
  ['storage.read', 'read'],
  ['storage.create', 'create'],
  ['storage.modify', 'modify'],
]);

/** Only all three of them together are HTCondor's WRITE. */
const wholeWrite = ['compute.modify', 'compute.create', 'compute.cancel'];

function aclsOf(claims: Claims, profile: LibraryProfile, { scopePaths }: LibraryRelease): Acls | Refused {
  const { scope } = claims;
  if (typeof scope !== 'string') return scopeRefusal(scope);
  const acls: Acl[] = [];
  const remarks: string[] = [];
  const words = scope.split(' ').filter((word) => word !== '');
  for (const word of words) {
    const colon = word.indexOf(':');
    const name = colon < 0 ? word : word.slice(0, colon);
    const reading = libraryPath(word, colon < 0 ? undefined : word.slice(colon + 1), scopePaths);
    if (reading.kind === 'refused') return reading;
    if (/^(storage\.|read$|write$)/.test(name)) remarks.push(...reading.remarks);
    acls.push({
      authz: (profile === 'wlcg' ? translated.get(name) : undefined) ?? name,
      path: reading.path,
      scope: word,
    });
  }
  if (profile === 'wlcg') {
    if (words.includes('compute.read')) acls.push({ authz: 'condor', path: '/READ', scope: 'compute.read' });
    if (wholeWrite.every((word) => words.includes(word)))
      acls.push({ authz: 'condor', path: '/WRITE', scope: wholeWrite.join(' ') });
  }
  return { kind: 'acls', acls, profile, remarks };
}

function scopeRefusal(scope: unknown): Refused {
  if (scope === undefined) {
    return refusedFor('scope', 'the token has no scope, without which nothing is looked at, not even its groups', {
      log: "'scope' claim is mandatory",
      fix: 'ask for a token with scopes',
      turn: 'user',
    });
  }
  return refusedFor('scope', 'scope is not one text with its words separated by blanks', {
    log: "'scope' claim verification failed.",
    fix: 'write scope as one text',
    turn: 'issuer',
  });
}
