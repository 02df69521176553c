import { hash } from 'node:crypto';
import type { Epoch } from '../token/time.ts';
import { epoch } from '../token/time.ts';
import type { Directory, Files } from '../world/files.ts';
import type { Random } from '../world/random.ts';
import { replaceFile } from '../world/replace-file.ts';

/** A key set as it was answered, and when. */
export interface StoredKeys {
  readonly text: string;
  readonly fetchedAt: Epoch;
}

/**
 * Keys on disk, as a port, so that a restarted service, or a command, verifies while an issuer is away. Contract: `load` gives
 * what `save` was given for the very issuer, or undefined; both may reject, and nothing is lost but a fetch.
 */
export interface KeyStorage {
  load(issuer: string): Promise<StoredKeys | undefined>;
  save(issuer: string, keys: StoredKeys): Promise<void>;
}

/** A key set may be 256 KiB, and every character of it could be escaped. */
const largestFile = 2 * 1024 * 1024;

interface KeyFilesParts {
  readonly files: Files;
  readonly random: Random;
  readonly uid: number;
  /** Made, 0700, when the first keys are saved. */
  readonly directory: string;
}

/**
 * One file for each issuer. Whoever can write here decides which tokens are good, so a directory or file that belongs to somebody
 * else, or that others may write to, is not read.
 */
export function keyFilesIn({ files, random, uid, directory: path }: KeyFilesParts): KeyStorage {
  async function opened<T>(use: (directory: Directory) => Promise<T>): Promise<T> {
    const directory = await files.openDirectory(path);
    try {
      const { owner, mode } = await directory.facts();
      if (owner !== uid || (mode & 0o022) !== 0) throw new Error('the directory of keys is open to others');
      return await use(directory);
    } finally {
      await directory.close();
    }
  }
  return {
    load: (issuer) => opened((directory) => loadFrom(directory, issuer, uid)),
    async save(issuer, { text, fetchedAt }) {
      await files.makeDirectories(path, 0o700);
      const bytes = Buffer.from(JSON.stringify({ issuer, fetchedAt, text }));
      const temporary = `.${random.id()}`;
      await opened((directory) =>
        replaceFile(directory, fileOf(issuer), { bytes, temporary, mode: 0o600, keeps: 'whole' }),
      );
    },
  };
}

const fileOf = (issuer: string): string => `${hash('sha256', issuer)}.json`;

async function loadFrom(directory: Directory, issuer: string, uid: number): Promise<StoredKeys | undefined> {
  const file = await directory.open(fileOf(issuer), 'read');
  try {
    const { owner, mode, type } = await file.facts();
    if (type !== 'file' || owner !== uid || (mode & 0o022) !== 0) return undefined;
    const bytes = await file.read(largestFile);
    return bytes === undefined ? undefined : storedIn(bytes.toString(), issuer);
  } finally {
    await file.close();
  }
}

function storedIn(content: string, issuer: string): StoredKeys | undefined {
  const stored = JSON.parse(content) as Readonly<Record<string, unknown>> | null;
  const { issuer: named, text, fetchedAt } = stored ?? {};
  if (named !== issuer || typeof text !== 'string' || typeof fetchedAt !== 'number') return undefined;
  return { text, fetchedAt: epoch(fetchedAt) };
}
