import {
  type BigIntStats,
  close,
  closeSync,
  fchmod,
  fchmodSync,
  fchown,
  fchownSync,
  fstat,
  fstatSync,
  fsync,
  ftruncate,
  ftruncateSync,
  lstat,
  lstatSync,
  open,
  openSync,
  read,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { rename, stat, unlink } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { FileFacts } from './files.ts';

/**
 * What is done with open files, which are bare descriptors: thousands of deliveries in a pass cost half the main thread's time this way,
 * compared to the file handles of node:fs/promises. Whoever opens closes, in a `finally`.
 */
export interface Descriptors {
  open(path: string, flags: number, mode?: number): Promise<number>;
  close(fd: number): Promise<void>;
  sync(fd: number): Promise<void>;
  truncate(fd: number, length: number): Promise<void>;
  chmod(fd: number, mode: number): Promise<void>;
  chown(fd: number, owner: number, group: number): Promise<void>;
  facts(fd: number): Promise<FileFacts>;
  look(path: string): Promise<FileFacts | undefined>;
  /** As `look`, of what a link leads to. */
  follow(path: string): Promise<FileFacts | undefined>;
  write(fd: number, bytes: Uint8Array, place: number): Promise<number>;
  /** Fills the buffer from this place on; says how many bytes came. */
  read(fd: number, buffer: Buffer, from: number): Promise<number>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** Every call in a thread of its own: a disk that hangs holds up what waits for it, and nothing else (scenario 38). */
export const inThreads: Descriptors = {
  open: promisify(open),
  close: promisify(close),
  sync: promisify(fsync),
  truncate: promisify(ftruncate),
  chmod: promisify(fchmod),
  chown: promisify(fchown),
  facts: (fd: number) =>
    new Promise<FileFacts>((resolve, reject) => {
      fstat(fd, { bigint: true }, (error, stats) => (error ? reject(error) : resolve(factsOf(stats))));
    }),
  look: (path: string) =>
    new Promise<FileFacts | undefined>((resolve, reject) => {
      lstat(path, { bigint: true }, (error, stats) => {
        if (error === null) resolve(factsOf(stats));
        else if (isAbsent(error)) resolve(undefined);
        else reject(error);
      });
    }),
  write: (fd: number, bytes: Uint8Array, place: number) =>
    new Promise<number>((resolve, reject) => {
      write(fd, bytes, 0, bytes.length, place, (error, count) => (error ? reject(error) : resolve(count)));
    }),
  read: (fd: number, buffer: Buffer, from: number) =>
    new Promise<number>((resolve, reject) => {
      read(fd, buffer, from, buffer.length - from, from, (error, count) => (error ? reject(error) : resolve(count)));
    }),
  async follow(path) {
    try {
      return factsOf(await stat(path, { bigint: true }));
    } catch (thrown) {
      if (isAbsent(thrown as NodeJS.ErrnoException)) return undefined;
      throw thrown;
    }
  },
  rename,
  remove: unlink,
};

/**
 * At once, but for syncs: on a local disk each of these takes a few microseconds, and ten times that when a thread does it. For a program
 * that touches tens of thousands of small files, all of them on local disks.
 */
export const atOnce: Descriptors = {
  sync: inThreads.sync,
  open: async (path, flags, mode) => openSync(path, flags, mode),
  close: async (fd) => closeSync(fd),
  truncate: async (fd, length) => ftruncateSync(fd, length),
  chmod: async (fd, mode) => fchmodSync(fd, mode),
  chown: async (fd, owner, group) => fchownSync(fd, owner, group),
  facts: async (fd) => factsOf(fstatSync(fd, { bigint: true })),
  async look(path) {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? undefined : factsOf(stats);
  },
  async follow(path) {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? undefined : factsOf(stats);
  },
  write: async (fd, bytes, place) => writeSync(fd, bytes, 0, bytes.length, place),
  read: async (fd, buffer, from) => readSync(fd, buffer, from, buffer.length - from, from),
  rename: async (from, to) => renameSync(from, to),
  remove: async (path) => unlinkSync(path),
};

export function factsOf(stats: BigIntStats): FileFacts {
  return {
    type: typeOf(stats),
    size: Number(stats.size),
    mode: Number(stats.mode) & 0o7777,
    owner: Number(stats.uid),
    group: Number(stats.gid),
    links: Number(stats.nlink),
    inode: stats.ino,
    device: stats.dev,
    modifiedAt: Number(stats.mtimeMs),
    changedAt: Number(stats.ctimeMs),
  };
}

function typeOf(stats: BigIntStats): FileFacts['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'link';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  return 'device';
}

export const isAbsent = ({ code }: NodeJS.ErrnoException): boolean => code === 'ENOENT' || code === 'ENOTDIR';
