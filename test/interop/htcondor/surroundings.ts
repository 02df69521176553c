/** What `within.ts` tells the tests of the pool they share. */
export interface Surroundings {
  /** The directory that is `/` to the pool. */
  readonly root: string;
  /** The CA of this run; the root trusts it. */
  readonly caFile: string;
  /** A certificate of `localhost`, for servers of a test. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Outside the root, the run's own; removed after it. */
  readonly directory: string;
  /** The OpenID provider, which nobody here wrote. */
  readonly issuer: string;
  /** Where the pool's web login listens. */
  readonly webPrefix: string;
  /** Where mail goes; each one is a file in `mails`. */
  readonly mails: string;
}

const variable = 'TOKEEP_CONDOR_POOL';

export function surroundings(): Surroundings {
  const text = process.env[variable];
  if (text === undefined) throw new Error('these tests run by test/interop/htcondor/run.ts only');
  return JSON.parse(text) as Surroundings;
}

export const asEnvironment = (told: Surroundings): Record<string, string> => ({ [variable]: JSON.stringify(told) });
