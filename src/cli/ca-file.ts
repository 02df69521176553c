import { Fault } from '../fault/fault.ts';
import type { Files } from '../world/files.ts';
import { namedText } from './named-file.ts';

const largest = 4 * 1024 * 1024;

/** Looks at the CAs that `--ca-file` names before anybody is asked; throws `usage`. An empty file would be taken, and then nothing be trusted. */
export async function demandCaFile(files: Files, path: string): Promise<void> {
  const text = await namedText(files, path, largest);
  if (/-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/.test(text)) return;
  throw new Fault('usage', `${path} holds no certificate`, { hint: '--ca-file takes CAs in PEM form' });
}
