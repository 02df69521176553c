import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import type { FileTrees, TreeDirectory, TreeFile, TreeStamp, UnreadableDirectory } from './file-trees.ts';
import type { FileFacts } from './files.ts';

/** Synchronous calls, since a turn of the event loop costs more than what is done in it; in slices, since others wait. */
const slice = 8;

const directoryOnly = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const plainFile = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export const realFileTrees: FileTrees = {
  async names(root) {
    const entries = await readdir(root, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isDirectory: isDirectory(root, entry) }));
  },
  async read(root, directories, { isWanted, isRead = () => true, limit }, visit) {
    const buffer = Buffer.allocUnsafe(limit + 1);
    await inSlices(root, directories, (place, name) => {
      visit(
        name,
        orGone(() =>
          orUnreadable(() => {
            const needed = (file: string, size: number) => isRead(name, file, size);
            return readDirectory(place, { isWanted, isNeeded: needed, buffer });
          }),
        ),
      );
    });
  },
  async stamps(root, names, visit) {
    await inSlices(root, names, (place, name) => {
      const stats = orGone(() => lstatSync(place));
      visit(name, stats === undefined ? undefined : stampOf(stats));
    });
  },
};

/** Each below the root as it was held at the beginning. */
async function inSlices(
  root: string,
  names: Iterable<string>,
  work: (place: string, name: string) => void,
): Promise<void> {
  const held = openSync(root, directoryOnly);
  try {
    let until = performance.now() + slice;
    for (const name of names) {
      work(`/proc/self/fd/${held}/${name}`, name);
      if (performance.now() < until) continue;
      await turn();
      until = performance.now() + slice;
    }
  } finally {
    closeSync(held);
  }
}

/** File systems that do not tell types in listings exist. */
function isDirectory(root: string, entry: Dirent): boolean {
  if (entry.isDirectory()) return true;
  const untold = !entry.isFile() && !entry.isSymbolicLink() && !entry.isFIFO() && !entry.isSocket();
  return untold && (orGone(() => lstatSync(`${root}/${entry.name}`))?.isDirectory() ?? false);
}

interface Reading {
  readonly isWanted: (name: string) => boolean;
  readonly isNeeded: (name: string, size: number) => boolean;
  /** One byte longer than the longest file. */
  readonly buffer: Buffer;
}

function readDirectory(place: string, reading: Reading): TreeDirectory {
  const held = openSync(place, directoryOnly);
  try {
    // Before the names: what comes while they are read makes the stamp an old one.
    const stats = fstatSync(held);
    const below = `/proc/self/fd/${held}`;
    const names: string[] = [];
    const files: TreeFile[] = [];
    for (const entry of readdirSync(below, { withFileTypes: true })) {
      names.push(entry.name);
      if (!reading.isWanted(entry.name)) continue;
      const file = orGone(() => readFile(`${below}/${entry.name}`, entry, reading));
      if (file !== undefined) files.push(file);
    }
    return { stamp: stampOf(stats), owner: stats.uid, names, files };
  } finally {
    closeSync(held);
  }
}

function readFile(place: string, entry: Dirent, { isNeeded, buffer }: Reading): TreeFile {
  const stats = lstatSync(place);
  const type = typeOf(stats);
  if (type !== 'file') return treeFile(entry.name, stats, { kind: 'no-file', type });
  if (!isNeeded(entry.name, stats.size)) return treeFile(entry.name, stats, { kind: 'not-read' });
  try {
    return readPlain(place, entry.name, buffer);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === undefined || isAbsent(code)) throw thrown;
    return treeFile(entry.name, lstatSync(place), { kind: 'unreadable', code });
  }
}

function readPlain(place: string, name: string, buffer: Buffer): TreeFile {
  const held = openSync(place, plainFile);
  try {
    const stats = fstatSync(held);
    const type = typeOf(stats);
    if (type !== 'file') return treeFile(name, stats, { kind: 'no-file', type });
    let length = 0;
    // Files here are replaced and not written over, so that one has the size it was opened with.
    for (let count = -1; count !== 0 && length < Math.min(stats.size, buffer.length); length += count) {
      count = readSync(held, buffer, length, buffer.length - length, length);
    }
    if (length === buffer.length) return treeFile(name, stats, { kind: 'too-large' });
    return treeFile(name, stats, { kind: 'bytes', bytes: Buffer.from(buffer.subarray(0, length)) });
  } finally {
    closeSync(held);
  }
}

const treeFile = (name: string, stats: Stats, content: TreeFile['content']): TreeFile => ({
  name,
  identity: `${stats.dev}:${stats.ino}:${stats.mtimeMs}:${stats.size}`,
  owner: stats.uid,
  links: stats.nlink,
  modifiedAt: stats.mtimeMs,
  content,
});

const stampOf = (stats: Stats): TreeStamp => ({
  isDirectory: stats.isDirectory(),
  identity: `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`,
  modifiedAt: stats.mtimeMs,
});

function typeOf(stats: Stats): FileFacts['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'link';
  if (stats.isFIFO()) return 'fifo';
  return stats.isSocket() ? 'socket' : 'device';
}

/** One directory that we may not read is no reason to leave out the others. */
function orUnreadable(work: () => TreeDirectory): TreeDirectory | UnreadableDirectory {
  try {
    return work();
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EIO') throw thrown;
    return { unreadable: code };
  }
}

/** A link where a directory was is ENOTDIR, one where a file was ELOOP. */
const isAbsent = (code: string): boolean => code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';

function orGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if (isAbsent((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw thrown;
  }
}
