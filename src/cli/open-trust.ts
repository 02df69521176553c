import { Fault } from '../fault/fault.ts';
import { audienceAnswer } from '../token/audience.ts';
import { decodeJwt } from '../token/jwt.ts';
import { keyMetadataPlaces } from '../verify/issuer-metadata.ts';
import type { KeySet } from '../verify/jwks.ts';
import { KeyCache } from '../verify/key-cache.ts';
import { type KeyStorage, keyFilesIn } from '../verify/key-storage.ts';
import { readScitokensCfg, type ScitokensReading } from '../verify/scitokens-cfg.ts';
import { type KeySource, strictTrust, type TrustedIssuer } from '../verify/trust.ts';
import { refusal, type Verification } from '../verify/verification.ts';
import { Verifier } from '../verify/verifier.ts';
import type { World } from '../world/world.ts';
import { demandCaFile } from './ca-file.ts';
import type { Context } from './context.ts';
import { namedText } from './named-file.ts';
import type { Trust, TrustOptions } from './site-trust.ts';

/** Of a key set, and of a configuration. */
const largestFile = 1024 * 1024;

/** See `trustFrom`. */
export async function openTrust({ world }: Context, options: TrustOptions): Promise<Trust> {
  const { jwks, caFile, issuerConfig, keyHost: hosts = [] } = options;
  if (jwks !== undefined && caFile !== undefined) {
    throw new Fault('usage', '--jwks and --ca-file do not go together: with the keys at hand nobody is asked');
  }
  if (caFile !== undefined) await demandCaFile(world.files, caFile);
  const remarks = (options.issuer ?? []).flatMap((issuer) => remarksOn(issuer, jwks !== undefined));
  const config =
    issuerConfig === undefined
      ? undefined
      : readScitokensCfg(await namedText(world.files, issuerConfig, largestFile), issuerConfig);
  const keys: KeySource =
    jwks === undefined
      ? { kind: 'discovered', hosts, ...(caFile === undefined ? {} : { caFile }) }
      : { kind: 'jwks', text: await namedText(world.files, jwks, largestFile), from: jwks };
  const named = [...(options.issuer ?? []), ...(config?.config.issuers ?? []).map(({ issuer }) => issuer)];
  if (named.length === 0 && config !== undefined) throw nobodyTrusted(config, issuerConfig ?? '');
  const issuers = options.issuer === undefined && config === undefined ? undefined : named;
  const audiences = [...(options.audience ?? []), ...(config?.config.audiences ?? [])];
  // Keys on disk came from whom everybody here trusts: they do not stand in for those of a place that is named by hand.
  const byHand = caFile !== undefined || hosts.length > 0;
  const cache = new KeyCache({ world, ...(byHand ? {} : storageOf(world)) });
  const { profile: profiles = strictTrust.profiles, longestLife } = options;
  const limits = { profiles, ...(longestLife === undefined ? {} : { longestLife }) };
  const trusted = (issuer: string): TrustedIssuer => ({ ...strictTrust, ...limits, issuer, keys, audiences });
  let asked: string | undefined;

  async function verify(text: string): Promise<Verification> {
    const verifier = new Verifier({
      trusted: (issuers ?? issuerIn(text)).map(trusted),
      keys: cache,
      clock: world.clock,
    });
    const first = verifier.verifyNow(text);
    if (first.kind !== 'keys-needed') return first;
    asked = first.issuer;
    // However young the keys on disk are: who looks for a mistake wants to see what the issuer publishes now.
    await cache.renew(first.issuer);
    return await verifier.verify(text);
  }

  async function keysOf(text: string): Promise<KeySet | undefined> {
    const [issuer] = issuerIn(text);
    if (issuer === undefined) return undefined;
    if (cache.look(issuer) === undefined) await cache.fetch(issuer);
    return cache.look(issuer);
  }

  return {
    issuers,
    audiences,
    ...(config === undefined ? {} : { config }),
    verify: async (text) => asXrootd(await verify(text), config),
    keysOf,
    warnings: () => [
      ...remarks,
      ...warningsOf(issuers, audiences, config),
      ...staleKeys(cache, asked, world.clock.now()),
    ],
  };
}

/** What is odd about the name of an issuer; throws `usage` where it would have to be asked for its keys and cannot be. */
function remarksOn(issuer: string, hasKeys: boolean): readonly string[] {
  const name = JSON.stringify(issuer);
  if (keyMetadataPlaces(issuer) !== undefined) {
    return issuer.startsWith('https:') ? [] : [`${name} is no https URL: such an issuer is for trials on this machine`];
  }
  const why = URL.canParse(issuer) && issuer.includes('://') ? 'is no plain https URL' : 'is no URL';
  if (hasKeys) return [`the issuer ${name} ${why}, as the issuers of tokens are`];
  const meant = /^(?:http:\/\/)?([\w.-]+(?::\d+)?(?:\/[\w./-]*)?)$/.exec(issuer)?.[1];
  throw new Fault('usage', `the issuer ${name} ${why}, so that it cannot be asked for its keys`, {
    hint: `${meant === undefined ? '' : `is it https://${meant} that is meant? `}name it as tokens have it in iss; --jwks gives keys from a file`,
  });
}

function nobodyTrusted({ findings }: ScitokensReading, file: string): Fault {
  const [finding] = findings.filter(({ severity }) => severity === 'error');
  return new Fault('config-invalid', `${file} names no issuer, so that a service with it accepts no token`, {
    hint: finding === undefined ? 'it takes a section [Issuer NAME]' : `${file}:${finding.line}: ${finding.message}`,
  });
}

/** The one that the token names, where any will do. */
function issuerIn(text: string): readonly string[] {
  const decoded = decodeJwt(text);
  const issuer = decoded.kind === 'jwt' ? decoded.claims['iss'] : undefined;
  return typeof issuer === 'string' ? [issuer] : [];
}

/** XRootD without an audience of its own takes tokens that name none, and those for everyone. */
function asXrootd(verification: Verification, config: ScitokensReading | undefined): Verification {
  if (verification.kind === 'refused' || config === undefined || config.config.audiences.length > 0)
    return verification;
  const { claims, profile, audience } = verification.token;
  if (audience !== undefined) return verification;
  const answer = audienceAnswer(claims, { accepted: [], everyone: true, profile });
  if (answer.kind !== 'other') return verification;
  const why = `the token is for ${answer.found.join(', ')}, and the service has no audience of its own`;
  return refusal('audience', why, 'name the audience of the service in its configuration, in [Global]');
}

/** Keys outlive a command where the user has a place for such things. */
function storageOf({ env, files, random, user }: World): { readonly storage?: KeyStorage } {
  const cache = env['XDG_CACHE_HOME'] ?? (env['HOME'] === undefined ? undefined : `${env['HOME']}/.cache`);
  if (cache?.startsWith('/') !== true) return {};
  return { storage: keyFilesIn({ files, random, uid: user.uid, directory: `${cache}/tokeep/keys` }) };
}

function warningsOf(
  issuers: readonly string[] | undefined,
  audiences: readonly string[],
  config: ScitokensReading | undefined,
): readonly string[] {
  const findings = config?.findings ?? [];
  return [
    ...findings.map(({ file, line, message }) => `${file}:${line}: ${message}`),
    ...(issuers === undefined ? ['any issuer was taken; name those that you trust with --issuer'] : []),
    ...(audiences.length === 0 && config === undefined
      ? ['the audience was not looked at; name that of the service with --audience']
      : []),
  ];
}

function staleKeys(cache: KeyCache, issuer: string | undefined, now: number): readonly string[] {
  const standing = issuer === undefined ? undefined : cache.standing(issuer);
  if (standing?.standing !== 'stale' || standing.trouble === undefined || standing.fetchedAt === undefined) return [];
  const age = Math.floor((now - standing.fetchedAt) / 60_000);
  return [`the keys are from ${age} min ago, since now they could not be had: ${standing.trouble.fault.message}`];
}
