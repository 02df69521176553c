import { errnoHint, errnoWords, needsPerson } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import { between, epoch, minutes } from '../token/time.ts';
import type { Directory } from '../world/files.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import type { SitePath } from './site.ts';

const largest = 1_048_576;
/** What a run that was killed left behind is swept after this; a temporary file of somebody who is writing is younger. */
const leftoverAge = minutes(10);

/**
 * What lies at a place: nothing, a text, or something that is in the way there: a directory where a file should be, a file
 * where a directory should be, or a link, which nothing is published through.
 */
export type Found =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'in-the-way'; readonly what: string };

/** Files below one directory, reached without going through any link. Faults are `target-refused` (the directory is a link) and `target-failed`. */
export interface SiteFiles {
  readonly directory: string;
  read(path: SitePath): Promise<Found>;
  /** Whole or not at all, and on disk when it resolves. False, with nothing done, if it is not `before` any more. */
  replace(path: SitePath, text: string, before: Found): Promise<boolean>;
}

class Changed extends Error {}

export function siteFiles(world: World, directory: string): SiteFiles {
  return {
    directory,
    async read(path) {
      const reached = await below(world, directory, path, 'look', lookAt);
      return reached.kind === 'reached' ? reached.value : reached;
    },
    async replace(path, text, before) {
      const reached = await below(world, directory, path, 'make', async (at, name) => {
        await sweep(world, at, name);
        return await replaceOne(world, at, name, text, before);
      });
      return reached.kind === 'reached' && reached.value;
    },
  };
}

/** Each place is looked at once: what is written is held against the very text it was made from, or a key put in between would be lost. */
export function lookingOnce(files: SiteFiles): SiteFiles {
  const looks = new Map<string, Promise<Found>>();
  return {
    ...files,
    read(path) {
      const name = path.join('/');
      const look = looks.get(name) ?? files.read(path);
      looks.set(name, look);
      return look;
    },
  };
}

async function replaceOne(world: World, at: Directory, name: string, text: string, before: Found): Promise<boolean> {
  try {
    await replaceFile(at, name, {
      bytes: Buffer.from(text),
      temporary: `${temporaryOf(name)}${world.random.id()}`,
      mode: (await at.look(name))?.mode ?? 0o644,
      keeps: 'durable',
      async check() {
        // Another access point may publish into the same set at this moment.
        if (!same(await lookAt(at, name), before)) throw new Changed();
      },
    });
    return true;
  } catch (thrown) {
    if (thrown instanceof Changed) return false;
    throw thrown;
  }
}

const temporaryOf = (name: string): string => `.${name}.tokeep-`;

const same = (one: Found, other: Found): boolean =>
  one.kind === other.kind && (one.kind !== 'text' || other.kind !== 'text' || one.text === other.text);

async function lookAt(at: Directory, name: string): Promise<Found> {
  const facts = await at.look(name);
  if (facts === undefined) return { kind: 'nothing' };
  if (facts.type !== 'file') return { kind: 'in-the-way', what: `a ${facts.type}` };
  const file = await at.open(name, 'read');
  try {
    const bytes = await file.read(largest);
    return bytes === undefined
      ? { kind: 'in-the-way', what: 'a file of more than a megabyte' }
      : { kind: 'text', text: bytes.toString('utf8') };
  } finally {
    await file.close();
  }
}

type Reached<T> = { readonly kind: 'reached'; readonly value: T } | Exclude<Found, { readonly kind: 'text' }>;

/** Goes to the directory of the file, step by step, and works there. */
async function below<T>(
  world: World,
  root: string,
  path: SitePath,
  how: 'make' | 'look',
  work: (at: Directory, name: string) => Promise<T>,
): Promise<Reached<T>> {
  const name = path.at(-1) ?? '';
  let place = root;
  let at: Directory | undefined;
  try {
    if (how === 'make') await world.files.makeDirectories(root, 0o755);
    at = await world.files.openDirectory(root);
    for (const component of path.slice(0, -1)) {
      place = `${place}/${component}`;
      const step = await stepInto(at, component, how);
      if (step.kind !== 'reached') return step;
      await at.close();
      at = step.value;
    }
    place = `${place}/${name}`;
    return { kind: 'reached', value: await work(at, name) };
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const { code = 'unknown' } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' && how === 'look') return { kind: 'nothing' };
    if (code === 'ENOTDIR' && place === root) throw refused(root);
    throw new Fault(
      needsPerson(thrown) ? 'target-refused' : 'target-failed',
      `${place} could not be ${how === 'make' ? 'written' : 'read'}: ${errnoWords(thrown)}`,
      {
        hint: isRight(code)
          ? `ls -ld ${root}   # may user ${world.user.uid}, whom the issuer belongs to, write there?`
          : errnoHint(thrown, root),
        cause: thrown,
      },
    );
  } finally {
    await at?.close();
  }
}

const isRight = (code: string): boolean => code === 'EACCES' || code === 'EPERM';

async function stepInto(at: Directory, name: string, how: 'make' | 'look'): Promise<Reached<Directory>> {
  const facts = await at.look(name);
  if (facts === undefined && how === 'look') return { kind: 'nothing' };
  if (facts === undefined) await makeOrMeet(at, name);
  else if (facts.type !== 'directory') return { kind: 'in-the-way', what: `a ${facts.type}` };
  return { kind: 'reached', value: await at.openDirectory(name, 'list') };
}

async function makeOrMeet(at: Directory, name: string): Promise<void> {
  try {
    await at.makeDirectory(name, 0o755);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  }
}

async function sweep({ clock }: World, at: Directory, name: string): Promise<void> {
  for (const other of await at.list()) {
    if (!other.startsWith(temporaryOf(name))) continue;
    const facts = await at.look(other);
    const isOld = facts !== undefined && between(epoch(facts.modifiedAt), clock.now()) > leftoverAge;
    if (isOld) await at.remove(other).catch(() => {});
  }
}

function refused(path: string): Fault {
  return new Fault('target-refused', `${path} is a link or no directory, and nothing is published through it`, {
    hint: `put a real directory or file in its place: ls -l ${path}`,
  });
}
