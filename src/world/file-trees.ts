import type { FileFacts } from './files.ts';

/** What stands under a name at one time. */
export interface TreeStamp {
  readonly isDirectory: boolean;
  /** Device, inode and birth: another one means that it was removed and made anew. */
  readonly identity: string;
  /** Of a directory: another one means that a name in it came, went, or was replaced. */
  readonly modifiedAt: number;
}

/** A directory below the root of a tree, and the files in it that were wanted. */
export interface TreeDirectory {
  readonly stamp: TreeStamp;
  readonly owner: number;
  readonly names: readonly string[];
  readonly files: readonly TreeFile[];
}

/** `code` of the system. */
export interface UnreadableDirectory {
  readonly unreadable: string;
}

export interface TreeFile {
  readonly name: string;
  /** Device, inode, time of last change of content and size: another file, or other content, has another one. */
  readonly identity: string;
  readonly owner: number;
  readonly links: number;
  readonly modifiedAt: number;
  readonly content:
    | { readonly kind: 'bytes'; readonly bytes: Buffer }
    /** Nobody wanted to know (`isRead`). */
    | { readonly kind: 'not-read' }
    /** It was not opened. */
    | { readonly kind: 'no-file'; readonly type: FileFacts['type'] }
    | { readonly kind: 'too-large' }
    /** `code` of the system. */
    | { readonly kind: 'unreadable'; readonly code: string };
}

export interface WantedFiles {
  readonly isWanted: (name: string) => boolean;
  /** Whether the content of a plain file matters; opening tens of thousands takes most of the time. Default: all of them. */
  readonly isRead?: (directory: string, name: string, size: number) => boolean;
  readonly limit: number;
}

/**
 * Trees of many directories with small files, read fast: tens of thousands of files in a second, where the promises of `Files` take many.
 * Contract: links are never followed and only plain files are opened; the event loop is let in at least every ten milliseconds. What
 * is gone is undefined; other faults of the system are thrown as `NodeJS.ErrnoException`.
 */
export interface FileTrees {
  /** The names in `root`, with their types. */
  names(root: string): Promise<readonly { readonly name: string; readonly isDirectory: boolean }[]>;
  /** Calls `visit` for each of these directories below `root`, in order, with the files in it that are `wanted`, up to `limit` bytes each. */
  read(
    root: string,
    directories: Iterable<string>,
    wanted: WantedFiles,
    visit: (directory: string, found: TreeDirectory | UnreadableDirectory | undefined) => void,
  ): Promise<void>;
  /** The stamps alone of these names below `root`: a tenth of the time. */
  stamps(
    root: string,
    names: Iterable<string>,
    visit: (name: string, stamp: TreeStamp | undefined) => void,
  ): Promise<void>;
}
