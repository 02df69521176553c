import type { AuditLine, AuditVerdict } from '../mint/audit.ts';
import type { IssuerSettings } from '../mint/issuer.ts';
import { fitsWidely } from '../mint/pattern.ts';
import type { SigningKey } from '../mint/signing-key.ts';
import { printable, span, timestamp } from '../observe/printable.ts';
import { between, type Epoch } from '../token/time.ts';

export interface TokenQuestion {
  readonly jti: string;
  /** Every line of the log that names it. */
  readonly lines: readonly AuditLine[];
  /** What reading the whole log said of it. */
  readonly log: AuditVerdict['kind'];
  readonly keys: readonly SigningKey[];
  readonly settings: IssuerSettings;
  readonly now: Epoch;
}

/** The first questions of an incident, answered: which token is it, for whom, where did it go, how long yet, what contains it. */
export function tokenStory({ jti, lines, log, keys, settings, now }: TokenQuestion): readonly string[] {
  const issued = lines.find(({ entry }) => entry.event === 'issued')?.entry;
  if (issued === undefined) {
    return [
      log === 'whole'
        ? `no token with the jti ${printable(jti)} was signed here; it is of another issuer, or forged`
        : `the log has no token with the jti ${printable(jti)}, and is not whole: it may have been signed here all the same`,
    ];
  }
  const { at, by, subject = 'nobody', audiences = [], scopes = [], deliveredTo = [], expiresAt, kid } = issued;
  const story = [
    `the token ${printable(jti)} was signed at ${timestamp(at)} by ${printable(by)}, with the key ${kid ?? 'unknown'}`,
    `it is about ${printable(subject)}, for ${printable(audiences.join(', '))}`,
    scopes.length === 0 ? 'it has no scopes' : `it allows ${printable(scopes.join(' '))}`,
    deliveredTo.length === 0 ? 'where it went was not noted' : `it went to ${printable(deliveredTo.join(', '))}`,
  ];
  const after = lines.filter(({ entry }) => entry !== issued).map(({ entry }) => entry);
  for (const { event, at: then, by: who } of after) story.push(`${event} at ${timestamp(then)} by ${printable(who)}`);
  if (expiresAt === undefined || expiresAt <= now) {
    return [
      ...story,
      `it ended${expiresAt === undefined ? '' : ` at ${timestamp(expiresAt)}`}, so that nobody accepts it any more`,
    ];
  }
  story.push(`it is good for ${span(between(now, expiresAt))} more, until ${timestamp(expiresAt)}`);
  const key = keys.find((one) => one.kid === kid);
  return [...story, ...containment(subject, key, settings)];
}

/** Services verify by themselves and ask nobody, so that only its end or the key's stops a token that is about. */
function containment(subject: string, key: SigningKey | undefined, { policy }: IssuerSettings): readonly string[] {
  const steps = [
    'to contain it:',
    `  no more for this subject: ${suspension(subject, policy.suspended)}`,
    '  at the services named above: have them refuse this subject until the token has ended',
  ];
  if (key === undefined || key.state === 'removed') {
    return [...steps, '  its key is removed already: services refuse it once they have fetched the keys again'];
  }
  return [
    ...steps,
    `  every token of the key ${key.kid} at once: tokeep issuer rotate --now --reason TEXT, until that key is removed; then publish`,
  ];
}

function suspension(subject: string, suspended: readonly string[]): string {
  // A pattern says nothing of a name that only its hash is known of.
  const isHashed = subject.startsWith('hashed:');
  if (!isHashed && suspended.some((pattern) => fitsWidely(pattern, subject))) return 'it is suspended already';
  const what = isHashed ? 'the subject of the token (the log holds a hash of it)' : JSON.stringify(subject);
  return `add ${what} to "suspend" below "policy:" in issuer.yaml`;
}
