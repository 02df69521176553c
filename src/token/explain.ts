import { isForEveryone } from './audience.ts';
import { parseScope } from './capability.ts';
import { groupsOf } from './groups.ts';
import { decodeJwt } from './jwt.ts';
import { clockBackdate, lifetimeTable } from './lifetimes.ts';
import { profileNames, profileOf, readProfile, requiredClaims, type TokenProfile } from './profile.ts';
import { scopeInWords } from './scope-words.ts';
import { type Epoch, epochFromSeconds } from './time.ts';

type Claims = Readonly<Record<string, unknown>>;

/** One line of an explanation; `name` groups lines that belong together. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

export type TokenExplanation =
  | {
      readonly kind: 'jwt';
      readonly profile: TokenProfile;
      readonly header: Claims;
      readonly claims: Claims;
      readonly statements: readonly Statement[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'opaque'; readonly length: number }
  | { readonly kind: 'malformed'; readonly reason: string };

/**
 * Says in plain words what is in a token and what is odd about it. Pure; verifies nothing and never shows the signature.
 * Texts from the token are passed on as they are: whoever prints them makes them printable.
 */
export function explainToken(text: string, now: Epoch): TokenExplanation {
  const decoded = decodeJwt(text);
  if (decoded.kind === 'opaque') return { kind: 'opaque', length: text.length };
  if (decoded.kind === 'malformed') return decoded;
  const { header, claims } = decoded;
  const profile = profileOf(header, claims);
  const statements = statementsOf(header, claims, profile, now);
  return { kind: 'jwt', profile, header, claims, statements, warnings: warningsOf(header, claims, profile, now) };
}

function statementsOf(header: Claims, claims: Claims, profile: TokenProfile, now: Epoch): readonly Statement[] {
  const version = textOf(claims['wlcg.ver']) ?? textOf(claims['ver']);
  const audiences = listOf(claims['aud']);
  return [
    { name: 'profile', text: profileNames[profile] + (version === undefined ? '' : ` (${version})`) },
    ...claim('issuer', claims['iss']),
    ...claim('subject', claims['sub']),
    ...claim('client', claims['client_id'] ?? claims['azp']),
    ...audiences.map((audience) => ({
      name: 'audience',
      text: isForEveryone(audience) ? `${audience} (every service)` : audience,
    })),
    ...scopesOf(claims).map((scope) => ({
      name: 'scope',
      text: `${scope}: ${scopeInWords(scope) ?? 'not a scope of a profile known here'}`,
    })),
    ...listOf(claims['wlcg.groups'] ?? claims['groups']).map((group) => ({ name: 'group', text: group })),
    ...time('issued', claims['iat'], now),
    ...time('not before', claims['nbf'], now),
    ...time('expires', claims['exp'], now),
    ...claim('id', claims['jti']),
    { name: 'signature', text: `${textOf(header['alg']) ?? 'no algorithm'}, ${keyOf(header)}; not verified here` },
  ];
}

function warningsOf(header: Claims, claims: Claims, profile: TokenProfile, now: Epoch): readonly string[] {
  const missing = requiredClaims[profile].filter((name) => !(name in claims));
  const whole = listOf(claims['aud']).some(isForEveryone);
  const issuer = textOf(claims['iss']);
  const algorithm = textOf(header['alg']) ?? 'none';
  const warnings: readonly (string | false)[] = [
    ...timeWarnings(claims, profile, now),
    missing.length > 0 && `it lacks ${missing.join(', ')}, which ${ruleOf(profile)}`,
    algorithm.toLowerCase() === 'none' && 'it is not signed, so no service may accept it',
    /^HS\d/.test(algorithm) && 'it is signed with a shared secret, which only the issuer itself can verify',
    profile === 'wlcg' && !('kid' in header) && 'it does not name its key (kid), which the WLCG profile demands',
    issuer !== undefined && !issuer.startsWith('https://') && 'its issuer is not an https URL',
    whole && 'every service accepts it: whoever gets hold of it can use it everywhere',
    ...ruleWarnings(header, claims, profile),
  ];
  return warnings.filter((warning) => warning !== false);
}

/** What the rules of the profiles refuse. Some libraries are kinder, and give more than they should. */
function ruleWarnings(header: Claims, claims: Claims, profile: TokenProfile): readonly (string | false)[] {
  const reading = readProfile(header, claims);
  const groups = groupsOf(claims);
  const scopes = scopesOf(claims).map(parseScope);
  return [
    profile !== 'unknown' && reading.kind === 'refused' && `services refuse it: ${reading.why}`,
    reading.kind === 'profile' &&
      reading.ambiguous === true &&
      'it has both ver and wlcg.ver, and most services then take it for a SciToken and not for a WLCG token',
    'refused' in groups && `its groups cannot be used: ${groups.refused}`,
    ...scopes
      .filter((scope) => scope.kind === 'refused')
      .map(({ text, why }) => `strict services refuse the whole token for its scope ${text}: ${why}`),
  ];
}

function timeWarnings(claims: Claims, profile: TokenProfile, now: Epoch): readonly (string | false)[] {
  const [exp, nbf, iat] = [timeOf(claims['exp']), timeOf(claims['nbf']), timeOf(claims['iat'])];
  const start = Math.max(nbf ?? iat ?? Number.NaN, iat ?? nbf ?? Number.NaN);
  const { least, most } = lifetimeTable.accessToken;
  const life = exp === undefined ? Number.NaN : exp - start;
  return [
    exp !== undefined && exp <= now && `it expired ${lengthInWords(now - exp)} ago`,
    nbf !== undefined && nbf > now && `it is not valid yet, for ${lengthInWords(nbf - now)} more`,
    iat !== undefined && iat > now + clockBackdate && 'it was issued in the future: one of the clocks is wrong',
    life <= 0 && 'it ends before it begins',
    profile === 'wlcg' &&
      life > most &&
      `it lives ${lengthInWords(life)}; the WLCG profile allows ${lengthInWords(most)}`,
    profile === 'wlcg' &&
      life > 0 &&
      life < least &&
      `it lives ${lengthInWords(life)}; WLCG wants ${lengthInWords(least)} at least`,
  ];
}

const ruleOf = (profile: TokenProfile): string =>
  profile === 'unknown' ? 'services need' : `is demanded by: ${profileNames[profile]}`;

const keyOf = (header: Claims): string => {
  const id = textOf(header['kid']);
  return id === undefined ? 'key not named' : `key ${id}`;
};

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const claim = (name: string, value: unknown): readonly Statement[] =>
  value === undefined ? [] : [{ name, text: textOf(value) ?? JSON.stringify(value) }];

function listOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map((one) => textOf(one) ?? JSON.stringify(one));
}

function scopesOf(claims: Claims): readonly string[] {
  const scope = claims['scope'] ?? claims['scp'];
  return typeof scope === 'string' ? scope.split(' ').filter((one) => one !== '') : listOf(scope);
}

/** What fits a date of JavaScript (about the year 275760). */
const lastDate = 8.64e12;

function timeOf(value: unknown): Epoch | undefined {
  return typeof value === 'number' && Math.abs(value) <= lastDate ? epochFromSeconds(value) : undefined;
}

function time(name: string, value: unknown, now: Epoch): readonly Statement[] {
  if (value === undefined) return [];
  const at = timeOf(value);
  if (at === undefined) return [{ name, text: `${JSON.stringify(value)} (not a time)` }];
  const relative = at > now ? `in ${lengthInWords(at - now)}` : `${lengthInWords(now - at)} ago`;
  return [{ name, text: `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC (${relative})` }];
}

/** `2 d 3 h`, `59 min 10 s`, `4 s`: the two largest units. */
export function lengthInWords(length: number): string {
  const left = Math.max(0, Math.floor(length / 1000));
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(left / 86_400), 'd'],
    [Math.floor(left / 3600) % 24, 'h'],
    [Math.floor(left / 60) % 60, 'min'],
    [left % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  const shown = parts.slice(first, first + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ');
}
