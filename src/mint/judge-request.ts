import { mostSpecificFirst, readGroup } from '../token/groups.ts';
import { boundLifetime, lifetimeTable } from '../token/lifetimes.ts';
import type { IssuerUrl } from '../token/names.ts';
import { after, between, type Epoch, type Millis, millis } from '../token/time.ts';
import { whyNoClaimValue } from './claim-value.ts';
import { ownClaims } from './claims.ts';
import { judgeAudiences } from './judge-audiences.ts';
import { judgeScopes } from './judge-scopes.ts';
import { fitsOneOf, fitsWidely } from './pattern.ts';
import type { IssueProfile, IssuerPolicy, MintRequest, PolicyAnswer } from './policy.ts';

type Refused = Extract<PolicyAnswer, { kind: 'refused' }>;

function refuse(error: Refused['error'], why: string, hint?: string): Refused {
  return { kind: 'refused', error, why, ...(hint === undefined ? {} : { hint }) };
}

const allows = (patterns: readonly string[], none: string): string =>
  patterns.length === 0 ? `it allows no ${none}` : `it allows ${patterns.join(', ')}`;

const inPolicy = (key: string, what = 'it'): string =>
  `whoever runs the issuer can add ${what} to "${key}" below "policy:" in issuer.yaml`;

/**
 * May this be signed, and as what? Nothing is quietly given away: scopes and audiences are given as they were asked for or refused, a
 * lifetime is cut with a remark (ISS-10).
 */
export function judgeRequest(
  policy: IssuerPolicy,
  request: MintRequest,
  url: IssuerUrl,
  profile: IssueProfile,
  now: Epoch,
): PolicyAnswer {
  const unfit =
    judgeSubject(policy, request, url) ?? judgeGroups(policy, request, profile) ?? judgeClaims(policy, request);
  if (unfit !== undefined) return unfit;
  const audiences = judgeAudiences(policy, request, profile);
  if (audiences.kind === 'refused') return { ...audiences, error: 'invalid_target' };
  const scopes = judgeScopes(policy.scopes, request.scopes, profile);
  if (scopes.kind === 'refused') return { ...scopes, error: 'invalid_scope' };
  const life = judgeLifetime(policy, request, profile, now);
  if ('kind' in life) return life;
  const groups = [...new Set(request.groups)];
  const remarks = [
    ...audiences.remarks,
    ...scopes.remarks,
    ...life.remarks,
    ...remarksOf(profile, scopes.scopes, groups),
  ];
  return {
    kind: 'allowed',
    request: {
      subject: request.subject,
      audiences: audiences.audiences,
      scopes: scopes.scopes,
      groups,
      lifetime: life.lifetime,
      clientId: request.clientId,
      claims: request.claims,
    },
    remarks,
  };
}

/** WLCG profile 1.3: at most 255 characters of ASCII. Blanks are part of subjects that come from certificates. */
const fitSubject = /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/;

function judgeSubject(policy: IssuerPolicy, { subject, user }: MintRequest, url: IssuerUrl): Refused | undefined {
  if (subject === '') return refuse('invalid_request', 'no subject was named', 'say who the token is about');
  if (!fitSubject.test(subject)) {
    return refuse(
      'invalid_request',
      `${JSON.stringify(subject.slice(0, 300))} is no subject: it has to be 1 to 255 characters of ASCII`,
    );
  }
  const isSuspended = (name: string) => policy.suspended.some((pattern) => fitsWidely(pattern, name));
  if (isSuspended(subject)) return suspended(`the subject ${subject} is suspended at ${url}`);
  // The sentence goes into the audit log, where nothing may say who has the random name.
  if (user !== undefined && isSuspended(user))
    return suspended(`the user of the subject ${subject} is suspended at ${url}`);
  if (fitsOneOf(policy.subjects, subject)) return undefined;
  return {
    ...refuse('access_denied', `the policy does not allow the subject ${subject}`, inPolicy('subjects')),
    allowed: allows(policy.subjects, 'subject at all'),
  };
}

const suspended = (why: string): Refused =>
  refuse('access_denied', why, `whoever runs the issuer can take it out of "suspend" below "policy:" in issuer.yaml`);

function judgeGroups(policy: IssuerPolicy, { groups }: MintRequest, profile: IssueProfile): Refused | undefined {
  if (groups.length > 0 && profile !== 'wlcg') {
    return refuse(
      'invalid_request',
      `groups were asked for, and tokens of the profile ${profile} have none`,
      'leave them out, or write "profile: wlcg" in issuer.yaml',
    );
  }
  for (const group of groups) {
    const reading = readGroup(group);
    if (reading.kind === 'refused') return refuse('invalid_scope', reading.why);
    if (fitsOneOf(policy.groups, group)) continue;
    return {
      ...refuse('invalid_scope', `the policy does not allow the group ${group}`, inPolicy('groups')),
      allowed: allows(policy.groups, 'groups at all'),
    };
  }
  return undefined;
}

function judgeClaims(policy: IssuerPolicy, { claims, clientId }: MintRequest): Refused | undefined {
  for (const [name, value] of Object.entries(claims)) {
    if (ownClaims.has(name)) {
      return refuse(
        'invalid_request',
        `the claim ${name} is set by the issuer itself`,
        'leave it out; most of them have an option of their own',
      );
    }
    // RFC 8693 section 4.1: who acts for the subject; said by a server, of the client that asked.
    if (name === 'act' && clientId !== undefined) continue;
    if (policy.claims.includes(name)) {
      const why = whyNoClaimValue(value);
      if (why === undefined) continue;
      return refuse('invalid_request', `the claim ${name} cannot be signed as it was asked for: ${why}`);
    }
    return {
      ...refuse('invalid_request', `the policy does not allow the claim ${JSON.stringify(name)}`, inPolicy('claims')),
      allowed: allows(policy.claims, 'further claims'),
    };
  }
  return undefined;
}

interface Life {
  readonly lifetime: Millis;
  readonly remarks: readonly string[];
}

function judgeLifetime(
  { lifetime: own }: IssuerPolicy,
  request: MintRequest,
  profile: IssueProfile,
  now: Epoch,
): Life | Refused {
  const wished = request.lifetime;
  if (wished !== undefined && !(wished >= 1000))
    return refuse('invalid_request', 'a lifetime of less than a second was asked for');
  const bound = boundLifetime(wished, 'accessToken', { recommended: own.usual, most: own.most });
  const remarks =
    bound.cut && wished !== undefined
      ? [`the lifetime was cut from ${inWords(wished)} to ${inWords(bound.lifetime)}, the most that the policy allows`]
      : [];
  let { lifetime } = bound;
  const { notAfter } = request;
  if (notAfter !== undefined && after(now, lifetime) > notAfter) {
    lifetime = between(now, notAfter);
    if (lifetime < 1000)
      return refuse('invalid_request', 'the token would have to end now, or has to have ended already');
    remarks.push(`the lifetime was cut to ${inWords(lifetime)}, the end of the token that it was made from`);
  }
  const { least, most } = lifetimeTable.accessToken;
  if (profile === 'wlcg' && lifetime > most)
    remarks.push(
      `it lives longer than the ${inWords(most)} of the WLCG profile, which wants that agreed upon with the services`,
    );
  if (profile === 'wlcg' && lifetime < least)
    remarks.push(`it lives shorter than the ${inWords(least)} that the WLCG profile has as the least`);
  return { lifetime, remarks };
}

function inWords(length: Millis): string {
  const seconds = Math.floor(millis(length) / 1000);
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

function remarksOf(profile: IssueProfile, scopes: readonly string[], groups: readonly string[]): readonly string[] {
  const remarks: string[] = [];
  if (scopes.length === 0) {
    remarks.push(
      groups.length === 0
        ? 'it has neither scopes nor groups, so that no service lets its bearer do anything'
        : 'it has groups and no scopes, which XRootD refuses',
    );
  }
  const { warning } = mostSpecificFirst(groups);
  if (profile === 'wlcg' && warning !== undefined) remarks.push(warning);
  return remarks;
}
