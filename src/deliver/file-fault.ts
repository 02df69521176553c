import { Fault } from '../fault/fault.ts';

/** What the system says, in words; `person`: trying again does not help before somebody has done something. */
const reasons: Readonly<Record<string, { readonly words: string; readonly person: boolean; readonly hint?: string }>> =
  {
    ENOSPC: { words: 'the disk is full', person: false, hint: 'make room; the old file is untouched' },
    EDQUOT: { words: 'the disk quota is used up', person: false, hint: 'raise the quota; the old file is untouched' },
    EIO: { words: 'the disk reports an error', person: false },
    EROFS: { words: 'the file system is read-only', person: false },
    ENOENT: { words: 'its directory has gone meanwhile', person: false },
    EMFILE: { words: 'too many files are open', person: false },
    ENFILE: { words: 'too many files are open on this machine', person: false },
    EBUSY: {
      words: 'the file is mounted by itself and cannot be replaced',
      person: true,
      hint: 'set in_place: true for this target',
    },
    EACCES: {
      words: 'we have no permission there',
      person: true,
      hint: 'let tokeep write in the directory of the file',
    },
    EPERM: { words: 'we are not permitted to', person: true, hint: 'let tokeep write in the directory of the file' },
    ENAMETOOLONG: { words: 'the name is too long', person: true },
    ELOOP: { words: 'it is a symbolic link', person: true, hint: 'name the place the link leads to' },
    ENXIO: { words: 'it is a FIFO or a socket', person: true },
    ENOTDIR: { words: 'a part of the path is not a directory', person: true },
  };

/** `doing` is the first half of a sentence, such as "token not written to /run/a.token". */
export function fileFault(thrown: unknown, doing: string): Fault {
  if (thrown instanceof Fault) return thrown;
  const code = (thrown as NodeJS.ErrnoException).code;
  if (typeof code !== 'string') return new Fault('bug', `${doing}: something unexpected happened`, { cause: thrown });
  const known = reasons[code];
  const words = known === undefined ? `the system says ${code}` : `${known.words} (${code})`;
  return new Fault(known?.person ? 'target-refused' : 'target-failed', `${doing}: ${words}`, {
    cause: thrown,
    ...(known?.hint === undefined ? {} : { hint: known.hint }),
  });
}
