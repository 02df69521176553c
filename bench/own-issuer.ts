import { join } from 'node:path';
import { Fault } from '../src/fault/fault.ts';
import { createIssuer } from '../src/mint/create-issuer.ts';
import type { IssuerDeps, OpenIssuer } from '../src/mint/issuer.ts';
import { openIssuer } from '../src/mint/open-issuer.ts';
import type { IssuerUrl } from '../src/token/names.ts';
import { hours } from '../src/token/time.ts';
import { realWorld } from '../src/world/real-world.ts';

export const issuerUrl = 'https://tokens.example.org/osg' as IssuerUrl;

/** Where the issuer lies in a directory of a benchmark. */
export const issuerIn = (dir: string): string => join(dir, 'issuer');

/** Its keys lie in files. */
const deps: IssuerDeps = {
  sealer: async () => {
    throw new Fault('bug', 'the issuer of a benchmark has nothing sealed');
  },
  chain: 'bench',
};

/** An issuer of the WLCG profile with a policy that lets the benchmarks have their tokens. */
export const makeIssuer = (dir: string): Promise<OpenIssuer> =>
  createIssuer(
    realWorld(),
    issuerIn(dir),
    {
      url: issuerUrl,
      profile: 'wlcg',
      policy: {
        scopes: ['storage.read:/', 'storage.modify:/osg', 'compute.*'],
        audiences: ['https://*.example.org*', '*:9619'],
        everyone: false,
        subjects: ['client-*', 'pilot-*'],
        groups: [],
        claims: [],
        lifetime: { usual: hours(1), most: hours(6) },
        suspended: [],
      },
      keys: 'file',
      store: { kind: 'sqlite' },
      algorithm: 'ES256',
      by: 'admin bench',
    },
    deps,
  );

export const openIssuerIn = (dir: string): Promise<OpenIssuer> => openIssuer(realWorld(), issuerIn(dir), deps);
