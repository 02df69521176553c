import { constants } from 'node:fs';
import { mkdir, readdir, readlink, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path/posix';
import { atOnce, type Descriptors, inThreads, isAbsent } from './descriptors.ts';
import type { Directory, DirectoryUse, Files, OpenFile } from './files.ts';

const noFollow = constants.O_NOFOLLOW;
/** Node does not name it; the same on every architecture that Node runs on under Linux. */
const onlyPath = 0o10000000;

async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (isAbsent(thrown as NodeJS.ErrnoException)) return undefined;
    throw thrown;
  }
}

/** Most of what is read is a token or less. */
const firstRead = 4096;

function larger(buffer: Buffer, length: number): Buffer {
  const made = Buffer.allocUnsafe(length);
  buffer.copy(made);
  return made;
}

function openFile(descriptor: Descriptors, fd: number): OpenFile {
  let place = 0;
  return {
    async write(bytes) {
      const count = await descriptor.write(fd, bytes, place);
      place += count;
      return count;
    },
    async read(limit) {
      let buffer: Buffer = Buffer.allocUnsafe(Math.min(limit + 1, firstRead));
      for (let length = 0; ; ) {
        const count = await descriptor.read(fd, buffer, length);
        if (count === 0) return buffer.subarray(0, length);
        length += count;
        if (length > limit) return undefined;
        if (length === buffer.length) buffer = larger(buffer, Math.min(limit + 1, 4 * length));
      }
    },
    seekStart() {
      place = 0;
    },
    truncate: (length) => descriptor.truncate(fd, length),
    chmod: (mode) => descriptor.chmod(fd, mode),
    chown: (owner, group) => descriptor.chown(fd, owner, group),
    facts: () => descriptor.facts(fd),
    sync: () => descriptor.sync(fd),
    close: () => descriptor.close(fd),
  };
}

async function openDirectory(
  descriptor: Descriptors,
  path: string,
  place: string,
  use: DirectoryUse,
): Promise<Directory> {
  const access = use === 'pass' ? onlyPath : constants.O_RDONLY;
  return directory(descriptor, path, await descriptor.open(place, access | constants.O_DIRECTORY | noFollow));
}

/** Names below a held directory go through /proc/self/fd, so that no component above can be swapped (deliver/README.md). */
function directory(descriptor: Descriptors, path: string, fd: number): Directory {
  const below = (name: string) => {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) throw new TypeError(`not a name: ${name}`);
    return `/proc/self/fd/${fd}/${name}`;
  };
  return {
    path,
    facts: () => descriptor.facts(fd),
    look: async (name) => await descriptor.look(below(name)),
    readLink: async (name) => await readlink(below(name)),
    openDirectory: async (name, use) => await openDirectory(descriptor, join(path, name), below(name), use),
    list: () => readdir(`/proc/self/fd/${fd}`),
    async createExclusive(name, mode) {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | noFollow;
      const file = openFile(descriptor, await descriptor.open(below(name), flags, mode & 0o600));
      try {
        await file.chmod(mode);
      } catch (thrown) {
        await file.close();
        throw thrown;
      }
      return file;
    },
    async open(name, how) {
      const access = how === 'read' ? constants.O_RDONLY : constants.O_RDWR;
      return openFile(descriptor, await descriptor.open(below(name), access | noFollow | constants.O_NONBLOCK));
    },
    rename: async (from, to) => await descriptor.rename(below(from), below(to)),
    remove: async (name) => await descriptor.remove(below(name)),
    makeDirectory: async (name, mode) => {
      await mkdir(below(name), mode);
    },
    sync: () => descriptor.sync(fd),
    close: () => descriptor.close(fd),
  };
}

async function readText(descriptor: Descriptors, path: string, limit: number): Promise<string | undefined> {
  const fd = await orAbsent(descriptor.open(path, constants.O_RDONLY | constants.O_NONBLOCK));
  if (fd === undefined) return undefined;
  const file = openFile(descriptor, fd);
  try {
    const bytes = await file.read(limit);
    if (bytes === undefined) throw Object.assign(new Error(`more than ${limit} bytes`), { code: 'EFBIG' });
    return bytes.toString('utf8');
  } finally {
    await file.close();
  }
}

/** Step by step: the recursive `mkdir` of Node never ends below /proc, where the parent is there and takes nothing. */
async function makeDirectories(path: string, mode: number): Promise<void> {
  try {
    return await makeOrMeet(path, mode);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw thrown;
  }
  await makeDirectories(dirname(path), mode);
  await makeOrMeet(path, mode);
}

/** A directory that is there already, or that somebody else makes at the same moment, is fine. */
async function makeOrMeet(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (thrown) {
    const isThere = (thrown as NodeJS.ErrnoException).code === 'EEXIST' && (await stat(path)).isDirectory();
    if (!isThere) throw thrown;
  }
}

const filesOn = (descriptor: Descriptors): Files => ({
  openDirectory: (path, use = 'list') => openDirectory(descriptor, path, path, use),
  readText: (path, limit) => readText(descriptor, path, limit),
  facts: (path) => descriptor.follow(path),
  look: (path) => descriptor.look(path),
  readLink: (path) => readlink(path),
  makeDirectories,
  fileSystemType: async (path) => (await statfs(path)).type,
});

export const realFiles: Files = filesOn(inThreads);

/** The same, and several times as fast, for programs all of whose files are on local disks. */
export const localFiles: Files = filesOn(atOnce);
