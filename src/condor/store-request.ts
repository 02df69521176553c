import { Fault } from '../fault/fault.ts';
import { isFit } from './credential-name.ts';

/** What condor_submit asks a SEC_CREDENTIAL_STORER for: one service of a job. */
export interface StoreRequest {
  readonly service: string;
  readonly handle?: string;
  /** As condor_submit gives it, with commas between; kept to the letter, since condor_credd compares texts. */
  readonly scopes?: string;
  readonly audience?: string;
  /** Further arguments for htgettoken. */
  readonly options?: string;
}

type Key = Exclude<keyof StoreRequest, 'service'>;
const keys: readonly string[] = ['handle', 'scopes', 'audience', 'options'] satisfies Key[];

/** An audience may hold a `&` of its own, so that only one before a key of ours separates. */
const separator = new RegExp(`&(?=(?:${keys.join('|')})=)`);

/** Reads `service&handle=rd&scopes=a,b&audience=x&options=y`; throws `usage`. */
export function storeRequestOf(argument: string): StoreRequest {
  const [service = '', ...rest] = argument.split(separator);
  if (!isFit(service)) throw unfit('a service', service);
  const found: { -readonly [K in Key]?: string } = {};
  for (const part of rest) {
    const at = part.indexOf('=');
    const key = part.slice(0, at) as Key;
    if (found[key] !== undefined) throw new Fault('usage', `the request for ${service} names its ${key} twice`);
    if (at + 1 < part.length) found[key] = part.slice(at + 1);
  }
  if (found.handle !== undefined && !isFit(found.handle)) throw unfit('a handle', found.handle);
  return { service, ...found };
}

const unfit = (what: string, text: string): Fault =>
  new Fault('usage', `${JSON.stringify(text)} is no name of ${what} that HTCondor takes`, {
    hint: 'condor_submit calls with SERVICE[&handle=NAME][&scopes=A,B][&audience=TEXT]; letters, digits and - + = _ . are fine in names',
  });

/** As it stands in a job's OAuthServicesNeeded. */
export const requestName = ({ service, handle }: StoreRequest): string =>
  handle === undefined ? service : `${service}*${handle}`;
