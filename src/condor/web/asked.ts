import { errnoWords } from '../../fault/errno-words.ts';
import { Fault } from '../../fault/fault.ts';
import type { Directory } from '../../world/files.ts';
import type { World } from '../../world/world.ts';
import { isRequestFileName, type LoginRequest, largestRequestFile, parseRequestFile } from '../request-file.ts';
import { type Service, serviceOf } from './service.ts';

/** A request file, read for a page: one local user, and what they are asked to log in for. */
export type Asked =
  | { readonly kind: 'asked'; readonly user: string; readonly services: readonly AskedService[] }
  /** There is none (any more): used up, swept, or mistyped. */
  | { readonly kind: 'absent' }
  /** For the log; a browser is only told that it cannot be read. */
  | { readonly kind: 'unreadable'; readonly why: string };

export interface AskedService {
  readonly service: Service;
  readonly request: LoginRequest;
}

export interface CredentialPlace {
  /** SEC_CREDENTIAL_DIRECTORY_OAUTH. */
  readonly directory: string;
  readonly specialNames: boolean;
}

export async function readAsked(world: World, place: CredentialPlace, name: string): Promise<Asked> {
  if (!isRequestFileName(name)) return { kind: 'absent' };
  const bytes = await inDirectory(world, place.directory, (directory) => readFile(directory, name));
  if (bytes === undefined) return { kind: 'absent' };
  if (bytes === 'odd') return { kind: 'unreadable', why: 'is no file of its kind' };
  const file = parseRequestFile(bytes);
  if (file.kind === 'unreadable') return file;
  const user = file.requests[0]?.localUser ?? '';
  const services: AskedService[] = [];
  for (const request of file.requests) {
    const service = serviceOf(request, place.specialNames);
    if (service === undefined) return { kind: 'unreadable', why: 'has a name or an address that cannot be used' };
    if (request.localUser !== user) return { kind: 'unreadable', why: 'is for several users' };
    services.push({ service, request });
  }
  return { kind: 'asked', user, services };
}

export async function removeRequest(world: World, { directory }: CredentialPlace, name: string): Promise<void> {
  await inDirectory(world, directory, async (root) => {
    if ((await root.look(name)) !== undefined) await root.remove(name);
  });
}

async function readFile(directory: Directory, name: string): Promise<Buffer | 'odd' | undefined> {
  const facts = await directory.look(name);
  if (facts === undefined) return undefined;
  if (facts.type !== 'file') return 'odd';
  const file = await directory.open(name, 'read');
  try {
    return (await file.read(largestRequestFile)) ?? 'odd';
  } finally {
    await file.close();
  }
}

/** What the system objects to there is a Fault with whom it has to suit; a browser is only told to come back. */
export async function inDirectory<T>(
  world: World,
  path: string,
  work: (directory: Directory) => Promise<T>,
): Promise<T> {
  let directory: Directory | undefined;
  try {
    directory = await world.files.openDirectory(path, 'pass');
    return await work(directory);
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    throw new Fault('target-failed', `the credential directory ${path} is out of reach: ${errnoWords(thrown)}`, {
      hint: 'the web login has to run as the user that condor_credd makes the directories of users for (TOKEEP_WEB_USER)',
      cause: thrown,
    });
  } finally {
    await directory?.close();
  }
}
