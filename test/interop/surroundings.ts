/** What `run.ts` tells the tests of where they run. */
export interface Surroundings {
  /** The CA of this run, and a directory with it under the hash of its name, as X509_CERT_DIR wants it. */
  readonly caFile: string;
  readonly caDirectory: string;
  /** A directory other users may pass through; removed after the run. */
  readonly directory: string;
  /** Certificate of `localhost`, for servers. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Put before a command that must not run as root; and whom it then runs as, where its files must be handed over. */
  readonly unprivileged: readonly string[];
  readonly serviceUser?: { readonly uid: number; readonly gid: number };
  /** Environment with which XRootD and the scitokens tools trust the CA, and listen on loopback only. */
  readonly environment: Readonly<Record<string, string>>;
  readonly xrootd: string;
  readonly libscitokens: string;
}

const variable = 'TOKEEP_INTEROP';

export function surroundings(): Surroundings {
  const text = process.env[variable];
  if (text === undefined) throw new Error('these tests run by test/interop/run.ts only');
  return JSON.parse(text) as Surroundings;
}

export const asEnvironment = (told: Surroundings): Record<string, string> => ({ [variable]: JSON.stringify(told) });
