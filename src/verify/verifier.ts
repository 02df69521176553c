import type { AccessToken } from '../token/secret.ts';
import type { Epoch } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import type { SigningAlgorithm } from './algorithm.ts';
import { checkClaims } from './claims-check.ts';
import type { KeySet, VerificationKey } from './jwks.ts';
import type { KeyCache } from './key-cache.ts';
import { keysUnavailable, keyUnknown } from './key-refusals.ts';
import type { TrustedIssuer } from './trust.ts';
import { type Refusal, type RefusalCode, refusal, shown, type Verification } from './verification.ts';
import { type ReadJws, readJws, signatureHolds } from './verify-jws.ts';

/** The token may be good; its issuer has to be asked for keys first, by `KeyCache.fetch(issuer, kid)`. */
export interface KeysNeeded {
  readonly kind: 'keys-needed';
  readonly issuer: string;
  /** The key that the token names. */
  readonly kid: string | undefined;
}

export interface VerifierParts {
  readonly trusted: readonly TrustedIssuer[];
  readonly keys: KeyCache;
  readonly clock: Clock;
}

/** How often tokens of an issuer were found good, and refused, by reason. */
export type VerificationCounters = Readonly<Record<string, number>>;

/**
 * Says of tokens whether they are good: from a trusted issuer, signed by it, for us, and now. Nothing of a token is believed
 * before its issuer is found among the trusted ones, and of those only its own settings count.
 */
export class Verifier {
  readonly #trusted: ReadonlyMap<string, TrustedIssuer>;
  readonly #keys: KeyCache;
  readonly #clock: Clock;
  readonly #counters = new Map<string, Map<string, number>>();

  /** Lets the key cache watch the issuers. Throws `config-invalid` where keys at hand are none. */
  constructor({ trusted, keys, clock }: VerifierParts) {
    this.#trusted = new Map(trusted.map((trust) => [trust.issuer, trust]));
    this.#keys = keys;
    this.#clock = clock;
    for (const { issuer, keys: source } of trusted) keys.watch(issuer, source);
  }

  /** Judges by the keys at hand, without waiting for anything. */
  verifyNow(text: string): Verification | KeysNeeded {
    return this.#judge(text, 'may ask');
  }

  /** As `verifyNow`, and asks for keys where they are missing, for at most five seconds. Never rejects. */
  async verify(token: AccessToken | string): Promise<Verification> {
    const text = typeof token === 'string' ? token : token.reveal();
    const first = this.#judge(text, 'may ask');
    if (first.kind !== 'keys-needed') {
      if (first.kind === 'valid') this.#keys.tend(first.token.issuer);
      return first;
    }
    await this.#keys.fetch(first.issuer, first.kid);
    const second = this.#judge(text, 'must decide');
    return second.kind === 'keys-needed' ? keysUnavailable(second.issuer, this.#keys.standing(second.issuer)) : second;
  }

  /** By issuer, trusted ones only: `valid`, and the codes of refusals. */
  counters(): Readonly<Record<string, VerificationCounters>> {
    return Object.fromEntries([...this.#counters].map(([issuer, counts]) => [issuer, Object.fromEntries(counts)]));
  }

  #judge(text: string, asking: 'may ask' | 'must decide'): Verification | KeysNeeded {
    const jws = readJws(text);
    if (jws.kind === 'refused') return jws;
    const trust = this.#trustFor(jws);
    if ('kind' in trust) return trust;
    const answer = this.#judgeTrusted(jws, trust, asking, this.#clock.now());
    if (answer.kind !== 'keys-needed') this.#count(trust.issuer, answer.kind === 'valid' ? 'valid' : answer.code);
    return answer;
  }

  /** Byte for byte (VER-02), and before anything is looked up or fetched. */
  #trustFor({ claims: { iss } }: ReadJws): TrustedIssuer | Refusal {
    if (typeof iss !== 'string') {
      return refusal(
        'issuer-missing',
        iss === undefined ? 'the token names no issuer' : 'the iss of the token is not text',
      );
    }
    return this.#trusted.get(iss) ?? issuerUnknown(iss, [...this.#trusted.keys()]);
  }

  /** The claims first: what they refuse needs no key, and so nobody makes us ask for one with a token that would not do anyway. */
  #judgeTrusted(
    jws: ReadJws,
    trust: TrustedIssuer,
    asking: 'may ask' | 'must decide',
    now: Epoch,
  ): Verification | KeysNeeded {
    const algorithm = trust.algorithms.find((one) => one === jws.header['alg']);
    if (algorithm === undefined) return wrongAlgorithm(jws.header['alg'], trust.algorithms);
    const answer = checkClaims(jws.header, jws.claims, trust, now);
    if (answer.kind === 'refused') return answer;
    const key = this.#keyFor(jws.header['kid'], trust.issuer, asking);
    if ('kind' in key) return key;
    if (key.algorithm !== algorithm) return wrongKey(algorithm, key);
    if (!signatureHolds(jws, key)) return wrongSignature(jws.header['kid'], key);
    return { kind: 'valid', token: answer.token };
  }

  #keyFor(named: unknown, issuer: string, asking: 'may ask' | 'must decide'): VerificationKey | Refusal | KeysNeeded {
    const kid = typeof named === 'string' ? named : undefined;
    const set = this.#keys.look(issuer);
    if (set === undefined) {
      if (asking === 'may ask' && this.#keys.mayFetch(issuer, 'keys')) return { kind: 'keys-needed', issuer, kid };
      return keysUnavailable(issuer, this.#keys.standing(issuer));
    }
    if (named === undefined) return onlyKey(set);
    if (kid === undefined) return refusal('key-unnamed', 'the kid of the token is not text');
    const key = set.byKid.get(kid);
    if (key !== undefined) return key;
    if (asking === 'may ask' && this.#keys.mayFetch(issuer, 'kid')) return { kind: 'keys-needed', issuer, kid };
    return keyUnknown(kid, this.#keys.standing(issuer));
  }

  #count(issuer: string, outcome: 'valid' | RefusalCode): void {
    const counts = this.#counters.get(issuer) ?? new Map<string, number>();
    this.#counters.set(issuer, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
  }
}

/** Without a name only where there is nothing to choose from. */
function onlyKey({ keys }: KeySet): VerificationKey | Refusal {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return only;
  const why = `the token does not name its key (kid), and its issuer has ${keys.length}`;
  return refusal('key-unnamed', why, 'the issuer has to put the kid into the header of its tokens');
}

function issuerUnknown(iss: string, trusted: readonly string[]): Refusal {
  const why = `the issuer of the token, ${shown(iss)}, is not a trusted one`;
  const near = trusted.find((one) => roughly(one) === roughly(iss));
  if (near !== undefined)
    return refusal('issuer-unknown', why, `trusted is ${shown(near)}: names are compared letter by letter`);
  const named = trusted.slice(0, 3).map(shown).join(', ');
  return refusal(
    'issuer-unknown',
    why,
    trusted.length > 3 ? `${trusted.length} others are trusted` : `trusted: ${named || 'none'}`,
  );
}

const roughly = (issuer: string): string => issuer.trim().toLowerCase().replace(/\/$/, '');

function wrongAlgorithm(alg: unknown, accepted: readonly SigningAlgorithm[]): Refusal {
  const why = `the token is signed with ${shown(alg)}; of this issuer only ${accepted.join(' and ')} are accepted`;
  return refusal(
    'algorithm',
    why,
    alg === 'none' ? 'it is not signed at all: somebody may have made it up' : undefined,
  );
}

function wrongKey(algorithm: SigningAlgorithm, { kid, algorithm: ofKey }: VerificationKey): Refusal {
  return refusal('algorithm', `the token is signed with ${algorithm}, and ${keyInWords(kid)} is one for ${ofKey}`);
}

function wrongSignature(named: unknown, { kid }: VerificationKey): Refusal {
  const other = named === undefined ? 'a key that is not published' : 'another key under the same name';
  return refusal(
    'signature',
    `the signature is not one of ${keyInWords(kid)}`,
    `the token was changed on its way, or signed with ${other}`,
  );
}

const keyInWords = (kid: string | undefined): string =>
  kid === undefined ? 'the only key of its issuer' : `the key ${shown(kid)} of its issuer`;
