const words: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk reports an error',
  EROFS: 'the file system is read-only',
  ENOENT: 'its directory is not there',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EACCES: 'we have no permission there',
  EPERM: 'we are not permitted to',
  ELOOP: 'it is a symbolic link',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open on this machine',
};

/** What the system said of a file that could not be written, in words, with its code: `the disk is full (ENOSPC)`. */
export function errnoWords(thrown: unknown): string {
  const code = (thrown as NodeJS.ErrnoException).code ?? 'nothing of why';
  const known = words[code];
  return known === undefined ? `the system says ${code}` : `${known} (${code})`;
}

/** Trying again does not help before somebody has done something: the exit code says so. */
export const needsPerson = (thrown: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'EROFS', 'ELOOP', 'ENAMETOOLONG'].includes(
    (thrown as NodeJS.ErrnoException).code ?? '',
  );

/** What to look at for it: room, mount, or rights. `path` is the directory that was to be written to. */
export function errnoHint(thrown: unknown, path: string): string {
  const { code = '' } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return `df ${path}; df -i ${path}   # make room, and try again`;
  if (code === 'EROFS') return `findmnt --target ${path}   # mounted read-only`;
  return `ls -ld ${path}   # is it there, and may this user write there?`;
}
