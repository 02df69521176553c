import { type ParsedScope, printScope } from '../token/capability.ts';
import { mayGive } from '../token/narrowing.ts';
import type { TokenIdentity } from './mapping-identity.ts';

/** Who a token is for the rest of the machine, or that it is nobody. All conditions that are there must hold. */
export interface MapRule {
  readonly number: number;
  /** Exactly, byte for byte; without it a subject or group means nothing (VER-10). */
  readonly issuer: string;
  /** Exactly, or with `*` at its end for anything that begins so. */
  readonly subject?: string;
  /** All of them; `/cms/*` is any group below `/cms`. */
  readonly groups: readonly string[];
  /** The token must hold all of them, in whatever spelling, or wider ones. */
  readonly scopes: readonly ParsedScope[];
  /** The token must name it. */
  readonly audience?: string;
  readonly then:
    | { readonly kind: 'user'; readonly user: string }
    /** The subject itself, if it is one of these names (a `*` at the end as above). */
    | { readonly kind: 'subject'; readonly among: readonly string[] }
    | { readonly kind: 'deny' };
}

export interface MapRules {
  readonly file: string;
  readonly rules: readonly MapRule[];
}

export type RuleMapping =
  | { readonly kind: 'mapped'; readonly user: string; readonly rule: MapRule }
  | { readonly kind: 'denied'; readonly rule: MapRule }
  /** `nearest` lacks one thing only, which `why` names. */
  | { readonly kind: 'none'; readonly nearest?: { readonly rule: MapRule; readonly why: string } };

/** Who this is by our own rules: the first that fits decides. */
export function mapByRules({ rules }: MapRules, identity: TokenIdentity): RuleMapping {
  for (const rule of rules) {
    if (lacks(rule, identity).length > 0) continue;
    if (rule.then.kind === 'deny') return { kind: 'denied', rule };
    return { kind: 'mapped', user: rule.then.kind === 'user' ? rule.then.user : identity.subject, rule };
  }
  for (const rule of rules) {
    const [why, another] = lacks(rule, identity);
    if (why !== undefined && another === undefined && rule.then.kind !== 'deny') {
      return { kind: 'none', nearest: { rule, why } };
    }
  }
  return { kind: 'none' };
}

/** What the token has not got of what the rule wants, each as the end of "it would fit, but". */
function lacks(rule: MapRule, identity: TokenIdentity): readonly string[] {
  const { issuer, subject, groups, scopes, audiences } = identity;
  const found: string[] = [];
  if (rule.issuer !== issuer) found.push(otherIssuer(rule.issuer, issuer));
  if (rule.subject !== undefined && !fits(rule.subject, subject)) found.push(`the subject is not ${rule.subject}`);
  for (const group of rule.groups) {
    if (!groups.some((one) => fits(group, one))) found.push(`the token has not the group ${group}`);
  }
  for (const scope of rule.scopes) {
    if (!mayGive(scopes, scope)) found.push(`the token has not the scope ${printScope(scope)}`);
  }
  if (rule.audience !== undefined && !audiences.includes(rule.audience)) {
    found.push(`the token is not for ${rule.audience}`);
  }
  if (rule.then.kind === 'subject' && !isAmong(rule.then.among, subject)) {
    found.push('the subject is none of the names that may become a user');
  }
  return found;
}

function otherIssuer(wanted: string, issuer: string): string {
  const slash = wanted === `${issuer}/` || `${wanted}/` === issuer;
  return `the issuer is not ${wanted}${slash ? ' (they differ by the slash at the end)' : ''}`;
}

/** A subject comes from outside: whatever the patterns say, it has to look like an account, and never like one of the system's. */
const isAmong = (among: readonly string[], subject: string): boolean =>
  accountName.test(subject) && !powerful.has(subject) && among.some((pattern) => fits(pattern, subject));

export const accountName = /^[a-z_][a-z0-9_.-]{0,31}$/;

/** Accounts that own the machine or its services. */
const powerful: ReadonlySet<string> = new Set(
  'root toor daemon bin sys sync adm mail operator nobody systemd-network dbus sshd condor xrootd tomcat slurm postgres'.split(
    ' ',
  ),
);

export const isPowerful = (user: string): boolean => powerful.has(user);

const fits = (pattern: string, text: string): boolean =>
  pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
