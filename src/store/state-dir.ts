import { errnoWords } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import type { FileFacts } from '../world/files.ts';
import { sharedFileSystem } from '../world/shared-file-system.ts';
import type { World } from '../world/world.ts';

const octal = (mode: number): string => `0${mode.toString(8)}`;

/** A directory that is ours alone, as it is called in sentences, and the option that names another one. */
export interface PrivatePlace {
  readonly what: string;
  readonly option: string;
}

const stateDirectory: PrivatePlace = { what: 'the state directory', option: '--state' };

interface Unsafe {
  readonly expected: string;
  readonly found: string;
  readonly hint: string;
}

function refuse(place: PrivatePlace, path: string, { expected, found, hint }: Unsafe): never {
  const sentence = `${place.what} ${path} is not safe: expected ${expected}, found ${found}`;
  throw new Fault('state-unsafe', sentence, { hint });
}

function judge(place: PrivatePlace, path: string, facts: FileFacts, uid: number): void {
  if (facts.type !== 'directory') {
    const found = facts.type === 'link' ? 'a symbolic link' : `a ${facts.type}`;
    const hint = `ls -l ${path}   # then remove it, or name another place with ${place.option}`;
    refuse(place, path, { expected: 'a directory', found, hint });
  }
  if (facts.owner !== uid) {
    const hint = `chown -R ${uid} ${path}   # or run tokeep as its owner`;
    refuse(place, path, { expected: `owner ${uid}`, found: `owner ${facts.owner}`, hint });
  }
  if ((facts.mode & 0o077) !== 0 || (facts.mode & 0o700) !== 0o700) {
    refuse(place, path, { expected: 'mode 0700', found: `mode ${octal(facts.mode)}`, hint: `chmod 0700 ${path}` });
  }
}

async function look(world: World, path: string, place: PrivatePlace): Promise<FileFacts | undefined> {
  try {
    return await world.files.look(path);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault('state-unsafe', `${place.what} ${path} is out of reach for user ${world.user.uid} (${code})`, {
      hint: `namei -lo ${path}   # who may go there`,
      cause: thrown,
    });
  }
}

async function make(world: World, path: string, place: PrivatePlace): Promise<void> {
  try {
    await world.files.makeDirectories(path, 0o700);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault('state-unsafe', `${place.what} ${path} does not exist and could not be made (${code})`, {
      hint: `install -d -m 0700 -o ${world.user.uid} ${path}`,
      cause: thrown,
    });
  }
}

/** A file made and removed again: a mode says nothing about a read-only mount or a full disk. */
async function tryToWrite(world: World, path: string, place: PrivatePlace): Promise<void> {
  const name = `.probe-${world.random.id()}`;
  try {
    const directory = await world.files.openDirectory(path);
    try {
      const file = await directory.createExclusive(name, 0o600);
      await file.close();
      await directory.remove(name);
    } finally {
      await directory.close();
    }
  } catch (thrown) {
    throw new Fault('state-unsafe', `${place.what} ${path} cannot be written to: ${errnoWords(thrown)}`, {
      hint: `df ${path}; findmnt --target ${path}   # is it full, or mounted read-only?`,
      cause: thrown,
    });
  }
}

/**
 * Makes the state directory (0700), or refuses one that is not ours alone, before anything is spent (scenario 15).
 * Throws Fault `state-unsafe` with path, what was expected and found, and the command that mends it.
 */
export async function prepareStateDir(world: World, path: string, place = stateDirectory): Promise<void> {
  if ((await look(world, path, place)) === undefined) await make(world, path, place);
  const facts = await look(world, path, place);
  if (facts === undefined)
    refuse(place, path, { expected: 'a directory', found: 'nothing', hint: `install -d -m 0700 ${path}` });
  judge(place, path, facts, world.user.uid);
  const network = sharedFileSystem(await world.files.fileSystemType(path));
  if (network !== undefined) {
    const hint = `name a local directory with ${place.option}, or use store: postgres`;
    refuse(place, path, { expected: 'a local file system', found: network, hint });
  }
  await tryToWrite(world, path, place);
}
