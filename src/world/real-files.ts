import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, stat, statfs, unlink } from 'node:fs/promises';
import type { Directory, FileFacts, Files, OpenFile } from './files.ts';

const noFollow = constants.O_NOFOLLOW;

function factsOf(stats: BigIntStats): FileFacts {
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

async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw thrown;
  }
}

function openFile(handle: FileHandle): OpenFile {
  let place = 0;
  return {
    async write(bytes) {
      const { bytesWritten } = await handle.write(bytes, 0, bytes.length, place);
      place += bytesWritten;
      return bytesWritten;
    },
    async read(limit) {
      const buffer = Buffer.alloc(limit + 1);
      let length = 0;
      while (length <= limit) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
        if (bytesRead === 0) return buffer.subarray(0, length);
        length += bytesRead;
      }
      return undefined;
    },
    seekStart() {
      place = 0;
    },
    truncate: (length) => handle.truncate(length),
    chmod: (mode) => handle.chmod(mode),
    chown: (owner, group) => handle.chown(owner, group),
    facts: async () => factsOf(await handle.stat({ bigint: true })),
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** Names below a held directory go through /proc/self/fd, so that no component above can be swapped (design note in deliver/README.md). */
function directory(path: string, handle: FileHandle): Directory {
  const below = (name: string) => {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new TypeError(`not a name: ${name}`);
    return `/proc/self/fd/${handle.fd}/${name}`;
  };
  return {
    path,
    facts: async () => factsOf(await handle.stat({ bigint: true })),
    look: async (name) => {
      const stats = await orAbsent(lstat(below(name), { bigint: true }));
      return stats === undefined ? undefined : factsOf(stats);
    },
    list: () => readdir(`/proc/self/fd/${handle.fd}`),
    async createExclusive(name, mode) {
      const file = await open(
        below(name),
        constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | noFollow,
        mode & 0o600,
      );
      await file.chmod(mode);
      return openFile(file);
    },
    async open(name, how) {
      const access = how === 'read' ? constants.O_RDONLY : constants.O_RDWR;
      return openFile(await open(below(name), access | noFollow | constants.O_NONBLOCK));
    },
    rename: (from, to) => rename(below(from), below(to)),
    remove: (name) => unlink(below(name)),
    makeDirectory: async (name, mode) => {
      await mkdir(below(name), mode);
    },
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

async function readText(path: string, limit: number): Promise<string | undefined> {
  const handle = await orAbsent(open(path, constants.O_RDONLY | constants.O_NONBLOCK));
  if (handle === undefined) return undefined;
  try {
    const bytes = await openFile(handle).read(limit);
    if (bytes === undefined) throw Object.assign(new Error(`more than ${limit} bytes`), { code: 'EFBIG' });
    return bytes.toString('utf8');
  } finally {
    await handle.close();
  }
}

export const realFiles: Files = {
  async openDirectory(path) {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | noFollow);
    return directory(path, handle);
  },
  readText,
  async facts(path) {
    const stats = await orAbsent(stat(path, { bigint: true }));
    return stats === undefined ? undefined : factsOf(stats);
  },
  async look(path) {
    const stats = await orAbsent(lstat(path, { bigint: true }));
    return stats === undefined ? undefined : factsOf(stats);
  },
  async makeDirectories(path, mode) {
    await mkdir(path, { recursive: true, mode });
  },
  fileSystemType: async (path) => (await statfs(path)).type,
};
