import { errnoWords } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import type { Files } from '../world/files.ts';

/** The text of a file that the command line names; throws `usage` where it is not there or cannot be read. */
export async function namedText(files: Files, path: string, largest: number): Promise<string> {
  const text = await files.readText(path, largest).catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === 'EFBIG' ? 'it is too large' : cause.code === undefined ? 'it is no text file' : errnoWords(cause);
    throw new Fault('usage', `${path} cannot be read: ${why}`, { cause });
  });
  if (text === undefined) throw new Fault('usage', `there is no file ${path}`);
  return text;
}
