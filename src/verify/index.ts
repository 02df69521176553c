/**
 * tokeep/verify: is a token good, and what does it allow? Verifying asks no network for a token: the keys of issuers are kept
 * in memory, refreshed in the background, and serve on for days while an issuer is away.
 *
 *     import { createVerifier, decide, everywhere } from 'tokeep/verify';
 *
 *     await using verifier = createVerifier({
 *       issuers: [{ issuer: 'https://issuer.example' }],
 *       audiences: ['https://se.example:1094'],
 *     });
 *     const answer = await verifier.verify(token);
 *     if (answer.kind === 'refused') return refuse(answer.why);
 *     const decision = decide(answer.token, { action: 'read', path: '/data/file' }, everywhere);
 */
import { Fault } from '../fault/fault.ts';
import type { ClaimProfile } from '../token/profile.ts';
import type { AccessToken } from '../token/secret.ts';
import { hours, seconds } from '../token/time.ts';
import { realWorld } from '../world/real-world.ts';
import type { SigningAlgorithm } from './algorithm.ts';
import { KeyCache, type KeyStanding } from './key-cache.ts';
import type { KeyCounters } from './key-entry.ts';
import { keyFilesIn } from './key-storage.ts';
import { type KeySource, strictTrust, type TrustedIssuer } from './trust.ts';
import type { Verification } from './verification.ts';
import { type KeysNeeded, type VerificationCounters, Verifier } from './verifier.ts';

export type { FaultCode, Who } from '../fault/codes.ts';
export { Fault } from '../fault/fault.ts';
export type { ClaimProfile } from '../token/profile.ts';
export type { AccessToken, Secret } from '../token/secret.ts';
export type { SigningAlgorithm } from './algorithm.ts';
export { type Area, everywhere, type GroupRule } from './areas.ts';
export { type AccessRequest, type Action, type Bearer, type Decision, decide } from './authorize.ts';
export type { KeyStanding } from './key-cache.ts';
export type { KeyCounters } from './key-entry.ts';
export type { Refusal, RefusalCode, Verification, VerifiedToken } from './verification.ts';
export type { KeysNeeded, VerificationCounters } from './verifier.ts';

/** An issuer to trust. What is left out is as strict as WLCG profile 1.3 and RFC 8725 want it. */
export interface IssuerOptions {
  /** Compared letter by letter with `iss`; a slash at the end is part of the name. */
  readonly issuer: string;
  /** Names of the service for tokens of this issuer, instead of the verifier's. */
  readonly audiences?: readonly string[];
  /** The keys as a JWK set, in JSON; the issuer is never asked then. */
  readonly jwks?: string;
  /** A PEM file with the CAs to trust when the issuer is asked for its keys. */
  readonly caFile?: string;
  /** Hosts, with their port if it is not the usual one, that may serve the keys beside the issuer's own. */
  readonly keyHosts?: readonly string[];
  /** Whether tokens for every service are taken; true unless told. */
  readonly everyone?: boolean;
  readonly profiles?: readonly ClaimProfile[];
  readonly algorithms?: readonly SigningAlgorithm[];
  /** For `nbf` and `iat`, in seconds: 60, which is also the most. */
  readonly tolerance?: number;
  /** Tokens that live longer than this, in seconds, are refused. */
  readonly longestLife?: number;
}

export interface VerifierOptions {
  readonly issuers: readonly IssuerOptions[];
  /** The names of the service, each as it may stand in `aud`. */
  readonly audiences: readonly string[];
  /** A directory of our own where keys outlive the process; made if it is not there. */
  readonly keyDirectory?: string;
  /** Keys are fetched anew at this age at the latest: 1 to 6 hours, 6 unless told. */
  readonly refreshHours?: number;
  /** Keys serve up to this age while their issuer is away: 24 to 96 hours, 48 unless told. */
  readonly expiryHours?: number;
}

export interface TokenVerifier extends AsyncDisposable {
  /** Never rejects. Waits, at most five seconds, only where keys are missing. */
  verify(token: AccessToken | string): Promise<Verification>;
  /** Judges by the keys at hand; `keys-needed` where `verify` would ask for some. Keep the keys fresh with `start` then. */
  verifyNow(token: string): Verification | KeysNeeded;
  /** Fetches what is missing or due; for the start of a service. Never rejects: `standings` says what was not to be had. */
  ready(): Promise<void>;
  /** Keeps the keys fresh until the signal fires, also while no token comes. */
  start(signal: AbortSignal): Promise<void>;
  /** How it stands with the keys of each issuer. */
  standings(): readonly KeyStanding[];
  /** By issuer, for metrics. */
  counters(): {
    readonly tokens: Readonly<Record<string, VerificationCounters>>;
    readonly keys: Readonly<Record<string, Readonly<KeyCounters>>>;
  };
  close(): Promise<void>;
}

/** Makes a verifier. Throws a `Fault`: `usage` where no audience is given, `config-invalid` for keys that are none and times out of bounds. */
export function createVerifier(options: VerifierOptions): TokenVerifier {
  const world = realWorld();
  const { keyDirectory, refreshHours, expiryHours } = options;
  const keys = new KeyCache({
    world,
    times: {
      ...(refreshHours === undefined ? {} : { refresh: hours(refreshHours) }),
      ...(expiryHours === undefined ? {} : { expiry: hours(expiryHours) }),
    },
    ...(keyDirectory === undefined
      ? {}
      : { storage: keyFilesIn({ ...world, uid: world.user.uid, directory: keyDirectory }) }),
  });
  const trusted = options.issuers.map((issuer) => trustOf(issuer, options.audiences));
  const verifier = new Verifier({ trusted, keys, clock: world.clock });
  const close = async () => {
    await keys.saved();
    await world.http.close();
  };
  return {
    verify: (token) => verifier.verify(token),
    verifyNow: (token) => verifier.verifyNow(token),
    ready: () => keys.ready(),
    start: (signal) => keys.start(signal),
    standings: () => keys.standings(),
    counters: () => ({ tokens: verifier.counters(), keys: keys.counters() }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function trustOf(options: IssuerOptions, audiences: readonly string[]): TrustedIssuer {
  const { tolerance, longestLife, audiences: own = audiences, issuer } = options;
  if (own.length === 0) {
    throw new Fault('usage', `no audience is given for tokens of ${issuer}: tokens for other services would be taken`);
  }
  return {
    ...strictTrust,
    issuer,
    audiences: own,
    keys: keySource(options),
    ...(options.everyone === undefined ? {} : { everyone: options.everyone }),
    ...(options.profiles === undefined ? {} : { profiles: options.profiles }),
    ...(options.algorithms === undefined ? {} : { algorithms: options.algorithms }),
    ...(tolerance === undefined ? {} : { tolerance: seconds(tolerance) }),
    ...(longestLife === undefined ? {} : { longestLife: seconds(longestLife) }),
  };
}

function keySource({ issuer, jwks, caFile, keyHosts }: IssuerOptions): KeySource {
  if (jwks !== undefined) return { kind: 'jwks', text: jwks, from: `the key set given for ${issuer}` };
  return {
    kind: 'discovered',
    ...(caFile === undefined ? {} : { caFile }),
    ...(keyHosts === undefined ? {} : { hosts: keyHosts }),
  };
}
