/**
 * tokeep as a library: finding a bearer token, and saying what is in it. Nothing here verifies one.
 *
 *     import { discoverToken, explainToken } from 'tokeep';
 *
 *     const found = await discoverToken();
 *     if (found.kind === 'found') console.log(explainToken(found.token.reveal()));
 */
import { type Discovered, discoverToken as discover } from './discover/discover-token.ts';
import { explainToken as explain, type TokenExplanation } from './token/explain.ts';
import { epoch } from './token/time.ts';
import { realClock } from './world/real-clock.ts';
import { realFiles } from './world/real-files.ts';

export type { Discovered, DiscoveryStep, Looked } from './discover/discover-token.ts';
export type { FaultCode, Who } from './fault/codes.ts';
export { Fault } from './fault/fault.ts';
export type { Statement, TokenExplanation } from './token/explain.ts';
export { type DecodedJwt, decodeJwt } from './token/jwt.ts';
export type { TokenProfile } from './token/profile.ts';
export type { AccessToken, Secret } from './token/secret.ts';

export interface DiscoverOptions {
  /** Instead of the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Instead of our effective user id. */
  readonly uid?: number;
  /** Stop where other clients would: at a file that group or others may use. */
  readonly strict?: boolean;
}

/**
 * Finds the token of this process by WLCG bearer token discovery: `BEARER_TOKEN`, `BEARER_TOKEN_FILE`, the runtime directory,
 * `/tmp`. Throws a `Fault` (`discovery-invalid`) where a place holds something that is no token.
 */
export async function discoverToken(options: DiscoverOptions = {}): Promise<Discovered> {
  const { env = process.env, uid = process.geteuid?.() ?? -1, strict = false } = options;
  return await discover({ env, uid, strict, files: realFiles });
}

/** Says in plain words what is in a token and what is odd about it, as of `now`. Verifies nothing, and never shows the signature. */
export function explainToken(token: string, now?: Date): TokenExplanation {
  return explain(token, now === undefined ? realClock.now() : epoch(now.getTime()));
}
