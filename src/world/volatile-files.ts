import type { Directory, Files, OpenFile } from './files.ts';

/** What a power cut takes away: data that was not synced, or names (creations, renames) whose directory was not. */
export type PowerCut = 'data' | 'names';

export interface VolatileFiles {
  readonly files: Files;
  /** To be called when nothing is under way. Takes away what the disk never promised to keep. */
  cut(what: PowerCut): Promise<void>;
}

interface Unsynced {
  /** Open files written since their last sync, by the place they have now. */
  readonly data: Map<string, Directory>;
  /** How to take back what happened to names, latest last. */
  readonly names: { readonly directory: string; undo(): Promise<void> }[];
}

const largestFile = 64 * 1024 * 1024;

/**
 * Real files on a disk that keeps only what was synced (scenario 13). A file whose data was not synced comes back empty, under
 * its new name; a name whose directory was not synced comes back as it was before.
 */
export function volatileFiles(real: Files): VolatileFiles {
  const unsynced: Unsynced = { data: new Map(), names: [] };
  return {
    files: {
      ...real,
      openDirectory: async (path, use) => volatileDirectory(await real.openDirectory(path, use), unsynced),
    },
    async cut(what) {
      if (what === 'names') for (const change of unsynced.names.splice(0).reverse()) await change.undo();
      else for (const [path, directory] of unsynced.data) await empty(directory, nameOf(path));
      unsynced.data.clear();
    },
  };
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

async function empty(directory: Directory, name: string): Promise<void> {
  const file = await directory.open(name, 'write');
  await file.truncate(0);
  await file.close();
}

async function contentOf(directory: Directory, name: string): Promise<Buffer | undefined> {
  if ((await directory.look(name)) === undefined) return undefined;
  const file = await directory.open(name, 'read');
  const bytes = await file.read(largestFile);
  await file.close();
  return bytes;
}

async function putBack(directory: Directory, name: string, bytes: Buffer): Promise<void> {
  const file = await directory.createExclusive(name, 0o600);
  await file.write(bytes);
  await file.close();
}

function volatileDirectory(real: Directory, unsynced: Unsynced): Directory {
  const whole = (name: string) => `${real.path}/${name}`;
  const remember = (undo: () => Promise<void>) => unsynced.names.push({ directory: real.path, undo });
  return {
    ...real,
    openDirectory: async (name, use) => volatileDirectory(await real.openDirectory(name, use), unsynced),
    async createExclusive(name, mode) {
      const file = await real.createExclusive(name, mode);
      remember(async () => {
        if ((await real.look(name)) !== undefined) await real.remove(name);
      });
      return volatileFile(file, real, whole(name), unsynced);
    },
    open: async (name, how) => volatileFile(await real.open(name, how), real, whole(name), unsynced),
    async rename(from, to) {
      const replaced = await contentOf(real, to);
      await real.rename(from, to);
      remember(async () => {
        await real.rename(to, from);
        if (replaced !== undefined) await putBack(real, to, replaced);
      });
      if (unsynced.data.delete(whole(from))) unsynced.data.set(whole(to), real);
      else unsynced.data.delete(whole(to));
    },
    async sync() {
      await real.sync();
      const rest = unsynced.names.filter(({ directory }) => directory !== real.path);
      unsynced.names.splice(0, unsynced.names.length, ...rest);
    },
    async remove(name) {
      unsynced.data.delete(whole(name));
      const removed = await contentOf(real, name);
      await real.remove(name);
      remember(async () => {
        if (removed !== undefined) await putBack(real, name, removed);
      });
    },
  };
}

function volatileFile(real: OpenFile, directory: Directory, path: string, unsynced: Unsynced): OpenFile {
  return {
    ...real,
    async write(bytes) {
      unsynced.data.set(path, directory);
      return await real.write(bytes);
    },
    async sync() {
      await real.sync();
      unsynced.data.delete(path);
    },
  };
}
