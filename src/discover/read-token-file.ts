import { basename, dirname } from 'node:path/posix';
import { Fault } from '../fault/fault.ts';
import type { FileFacts, Files } from '../world/files.ts';

export interface TokenFileContent {
  /** One character a byte in a guarded place; else decoded as UTF-8. A token is ASCII either way. */
  readonly text: string;
  readonly warnings: readonly string[];
}

interface Reader {
  readonly files: Files;
  readonly uid: number;
  readonly strict?: boolean;
}

interface Spot {
  readonly path: string;
  /** For messages: the path and how we came to it. */
  readonly where: string;
  /** A default place, where others may have prepared something. A path that was given is the giver's business. */
  readonly guarded: boolean;
  /** What it is called where the file cannot be read at all. Without it: `discovery-invalid`, as for what was read and is no token. */
  readonly unreadable?: 'usage';
}

/** HTCondor's limit: a file of this size or more is no token. */
const tooLarge = 16 * 1024;

/**
 * The content of a token file; undefined when there is none. Never waits for a FIFO; in a guarded place never goes through a
 * link and takes nothing from other users than us and root (scenario 39). Faults with `discovery-invalid`.
 */
export async function readTokenFile(reader: Reader, spot: Spot): Promise<TokenFileContent | undefined> {
  try {
    return spot.guarded ? await readGuarded(reader, spot) : await readGiven(reader, spot);
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Fault(spot.unreadable ?? 'discovery-invalid', `${spot.where} could not be read: ${reasonOf(code)}`, {
      cause: thrown,
    });
  }
}

async function readGuarded(reader: Reader, spot: Spot): Promise<TokenFileContent> {
  const directory = await reader.files.openDirectory(dirname(spot.path));
  try {
    const file = await directory.open(basename(spot.path), 'read');
    try {
      const warnings = judge(reader, spot, await file.facts());
      const bytes = await file.read(tooLarge - 1);
      if (bytes === undefined) throw largerThanToken(spot);
      return { text: bytes.toString('latin1'), warnings };
    } finally {
      await file.close();
    }
  } finally {
    await directory.close();
  }
}

async function readGiven(reader: Reader, spot: Spot): Promise<TokenFileContent | undefined> {
  const facts = await reader.files.facts(spot.path);
  if (facts === undefined) return undefined;
  const warnings = judge(reader, spot, facts);
  try {
    const text = await reader.files.readText(spot.path, tooLarge - 1);
    return text === undefined ? undefined : { text, warnings };
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EFBIG') throw largerThanToken(spot);
    throw thrown;
  }
}

/** What other clients would say against the file, as sentences; faults where we do not read it either. */
function judge(reader: Reader, { path, where, guarded, unreadable }: Spot, facts: FileFacts): readonly string[] {
  if (facts.type !== 'file') {
    throw new Fault(unreadable ?? 'discovery-invalid', `${where} is not a plain file but a ${facts.type}`);
  }
  if (guarded && facts.owner !== reader.uid && facts.owner !== 0) {
    throw new Fault('discovery-invalid', `${where} belongs to user ${facts.owner}, not to user ${reader.uid}`, {
      hint: 'somebody else put it there: do not use it, and name your own token with BEARER_TOKEN_FILE',
    });
  }
  if ((facts.mode & 0o077) === 0) return [];
  const mode = facts.mode.toString(8).padStart(4, '0');
  const sentence = `${where} has mode ${mode}, and XRootD's client refuses a token file that others may use`;
  if (reader.strict) throw new Fault('discovery-invalid', sentence, { hint: `chmod 600 ${path}` });
  return [sentence];
}

function largerThanToken(spot: Spot): Fault {
  return new Fault('discovery-invalid', `no token in ${spot.where}: it has 16 KiB or more`);
}

function reasonOf(code: string | undefined): string {
  if (code === 'ELOOP') return 'it is a symbolic link (ELOOP)';
  if (code === 'EACCES') return 'we have no permission (EACCES)';
  if (code === 'ENXIO') return 'it is a socket (ENXIO)';
  return `the system says ${code ?? 'nothing'}`;
}
