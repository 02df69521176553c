/** What `lstat` says, without the names of Node. */
export interface FileFacts {
  readonly type: 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'device';
  readonly size: number;
  /** Permission bits only, such as 0o600. */
  readonly mode: number;
  readonly owner: number;
  readonly group: number;
  readonly links: number;
  readonly inode: bigint;
  readonly device: bigint;
  readonly modifiedAt: number;
  /** When the system last touched the inode: any change of content, name, owner or mode. Nobody can set it back. */
  readonly changedAt: number;
}

/** An open file. */
export interface OpenFile {
  /** Writes at the current place and says how many bytes went out, which may be fewer than given (scenario 11). */
  write(bytes: Uint8Array): Promise<number>;
  /** From the start; refuses more than `limit` bytes by returning undefined. */
  read(limit: number): Promise<Buffer | undefined>;
  seekStart(): void;
  truncate(length: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  chown(owner: number, group: number): Promise<void>;
  facts(): Promise<FileFacts>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** `list` is for everything; `pass` is only to look and go on below (O_PATH), and needs no right to read the directory. */
export type DirectoryUse = 'list' | 'pass';

/**
 * A directory held by its descriptor: names below it cannot be swapped under our feet. Every `name` is a single component;
 * nothing here follows a link (`createExclusive` and `open` use O_NOFOLLOW, `open` also O_NONBLOCK).
 */
export interface Directory {
  readonly path: string;
  facts(): Promise<FileFacts>;
  look(name: string): Promise<FileFacts | undefined>;
  /** The text of a symbolic link. */
  readLink(name: string): Promise<string>;
  /** The directory below; a link or a file of this name is refused with ENOTDIR. */
  openDirectory(name: string, use: DirectoryUse): Promise<Directory>;
  list(): Promise<readonly string[]>;
  /** O_CREAT|O_EXCL with exactly this mode, whatever the umask. */
  createExclusive(name: string, mode: number): Promise<OpenFile>;
  open(name: string, how: 'read' | 'write'): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  makeDirectory(name: string, mode: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Files, as a port. Contract: faults of the system come out as `NodeJS.ErrnoException` with `code` (ENOENT, ENOSPC, EIO, …);
 * the room that calls turns them into a Fault with a sentence. Nothing is retried here.
 */
export interface Files {
  /** Opens the directory itself, to `list` unless told; a link in the last component is refused with ENOTDIR. */
  openDirectory(path: string, use?: DirectoryUse): Promise<Directory>;
  /** Small text files (configuration, passwords, CAs); follows links; undefined when absent; refuses above `limit` bytes with EFBIG. */
  readText(path: string, limit: number): Promise<string | undefined>;
  /** Follows links. */
  facts(path: string): Promise<FileFacts | undefined>;
  /** Does not follow the last component. */
  look(path: string): Promise<FileFacts | undefined>;
  /** The text of a symbolic link. */
  readLink(path: string): Promise<string>;
  /** Every missing directory on the way gets this mode. */
  makeDirectories(path: string, mode: number): Promise<void>;
  /** The file system's type number of statfs(2), to refuse network file systems. */
  fileSystemType(path: string): Promise<number>;
}
