import type { Directory, OpenFile } from './files.ts';

/** What a file shall be, and how it gets there. */
export interface NewContent {
  readonly bytes: Uint8Array;
  /** A name beside the file that nobody else uses. */
  readonly temporary: string;
  readonly mode: number;
  /** Gives the file its owner or ACL, while it is empty and 0600: a mode for a group that is not the right one yet is a door left open. */
  readonly dress?: (file: OpenFile) => Promise<void>;
  /** The last look before the rename; throws when the old file shall stay. */
  readonly check?: () => Promise<void>;
  /** `durable`: on disk when this resolves. `whole`: only never seen half done, for what may be lost in a power cut. */
  readonly keeps: 'durable' | 'whole';
}

/**
 * Replaces a file, or makes it: a temporary file beside it is written, synced and renamed over it, and the directory is synced.
 * When this throws (the system's error, or that of `dress` and `check`) the old file is untouched and the temporary one
 * removed; only where the sync of the directory fails the new content lies there already.
 *
 *     await replaceFile(directory, 'a.json', { bytes, temporary: `.a.json.${random.id()}`, mode: 0o600, keeps: 'durable' });
 */
export async function replaceFile(directory: Directory, name: string, content: NewContent): Promise<void> {
  const { bytes, temporary, mode, dress, check, keeps } = content;
  const file = await directory.createExclusive(temporary, dress === undefined ? mode : 0o600);
  try {
    try {
      await dress?.(file);
      if (dress !== undefined) await file.chmod(mode);
      await writeAll(file, bytes);
      if (keeps === 'durable') await file.sync();
    } finally {
      await file.close();
    }
    await check?.();
    await directory.rename(temporary, name);
  } catch (thrown) {
    await removeQuietly(directory, temporary);
    throw thrown;
  }
  if (keeps === 'durable') await directory.sync();
}

/** Makes a file for its owner only, on disk when this resolves. Throws EEXIST where there is one; leaves nothing when it fails. */
export async function createFile(directory: Directory, name: string, bytes: Uint8Array): Promise<void> {
  const file = await directory.createExclusive(name, 0o600);
  try {
    try {
      await writeAll(file, bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (thrown) {
    await removeQuietly(directory, name);
    throw thrown;
  }
  await directory.sync();
}

/**
 * Writes everything, however little goes out at a time; a write that makes no progress is a full disk that does not say so
 * (scenario 11).
 */
export async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const count = await file.write(bytes.subarray(written));
    if (count <= 0) {
      const message = `only ${written} of ${bytes.length} bytes could be written`;
      throw Object.assign(new Error(message), { code: 'ENOSPC' });
    }
    written += count;
  }
}

/** The first error is the one to tell; what stays is swept, or a name with a dot in front that harms nobody. */
async function removeQuietly(directory: Directory, name: string): Promise<void> {
  await directory.remove(name).catch(() => {});
}
