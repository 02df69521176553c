/**
 * tokeep/issue: signing tokens with an issuer that `tokeep issuer init` has made. What the policy in its issuer.yaml does not
 * allow is refused here as everywhere, and every token is a line in its audit log before it is handed out.
 *
 *     import { openIssuer } from 'tokeep/issue';
 *
 *     await using issuer = await openIssuer({ directory: '/var/lib/tokeep/issuers/default' });
 *     const { token } = await issuer.sign({ subject: 'pilot-ce1', audiences: ['ce1.example.org:9619'], scopes: ['compute.create'] });
 *     await submit(token.reveal());
 */
import { hostname } from 'node:os';
import { Fault } from '../fault/fault.ts';
import { openIssuer as open } from '../mint/open-issuer.ts';
import type { JsonValue } from '../mint/policy.ts';
import type { PublicJwk } from '../mint/signing-key.ts';
import { openSealer } from '../store/seal-key.ts';
import type { Sealer } from '../store/sealer.ts';
import type { AccessToken } from '../token/secret.ts';
import { seconds } from '../token/time.ts';
import { realWorld } from '../world/real-world.ts';
import type { World } from '../world/world.ts';

export type { FaultCode, Who } from '../fault/codes.ts';
export { Fault } from '../fault/fault.ts';
export type { JsonValue } from '../mint/policy.ts';
export type { PublicJwk } from '../mint/signing-key.ts';
export type { AccessToken, Secret } from '../token/secret.ts';

export interface IssuerOptions {
  readonly directory: string;
  /** Of an issuer with `keys: sealed`; /etc/tokeep/seal.key, unless told. */
  readonly sealKeyFile?: string;
  /** Who signs, for the audit log; `library`, unless told. */
  readonly by?: string;
}

export interface SignRequest {
  readonly subject: string;
  /** The services that the token is for; `'everyone'` where the policy allows that. */
  readonly audiences: readonly string[] | 'everyone';
  readonly scopes?: readonly string[];
  readonly groups?: readonly string[];
  /** In seconds. A wish for more than the policy allows is cut, with a remark. */
  readonly lifetime?: number;
  /** Further claims, where the policy allows them. */
  readonly claims?: Readonly<Record<string, JsonValue>>;
  /** Where the token goes, for the audit log. */
  readonly deliveredTo?: readonly string[];
}

export interface SignedToken {
  readonly token: AccessToken;
  readonly jti: string;
  readonly kid: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, JsonValue>>;
  /** Sentences: what was cut, what is unusual. */
  readonly remarks: readonly string[];
}

export interface SigningIssuer extends AsyncDisposable {
  /** The exact `iss`. */
  readonly url: string;
  /** Throws a `Fault`: `policy-refused`, `signing-key-missing`, `state-busy`, … */
  sign(request: SignRequest): Promise<SignedToken>;
  /** The public keys, as they are to be published. */
  jwks(): Promise<{ readonly keys: readonly PublicJwk[] }>;
  close(): Promise<void>;
}

/** Opens the issuer in this directory. Throws a `Fault`: `issuer-missing`, `config-invalid`, `state-unsafe`, … */
export async function openIssuer(options: IssuerOptions): Promise<SigningIssuer> {
  const { directory, sealKeyFile = '/etc/tokeep/seal.key', by = 'library' } = options;
  const world = realWorld();
  const issuer = await open(world, directory, { sealer: () => existingSealer(world, sealKeyFile), chain: hostname() });
  const close = () => issuer.close();
  return {
    url: issuer.settings.url,
    async sign({ subject, audiences, scopes = [], groups = [], lifetime, claims = {}, deliveredTo = [] }) {
      const everyone = audiences === 'everyone';
      const minted = await issuer.mint({
        ...{ subject, everyone, scopes, groups, claims, by, deliveredTo },
        audiences: everyone ? [] : audiences,
        ...(lifetime === undefined ? {} : { lifetime: seconds(lifetime) }),
      });
      return { ...minted, issuedAt: new Date(minted.issuedAt), expiresAt: new Date(minted.expiresAt) };
    },
    jwks: async () => ({ keys: (await issuer.keys()).map(({ jwk }) => jwk) }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The commands make a sealing key where there is none; to a library a missing one is a mistake in the path. */
async function existingSealer(world: World, keyFile: string): Promise<Sealer> {
  const isThere = world.env['CREDENTIALS_DIRECTORY'] !== undefined || (await world.files.facts(keyFile)) !== undefined;
  if (isThere) return await openSealer(world, { keyFile });
  throw new Fault('seal-key-unusable', `the sealing key ${keyFile} is not there`, {
    hint: 'name the one of the issuer with sealKeyFile',
  });
}
