import { Fault } from '../fault/fault.ts';
import type { FileFacts, Files } from '../world/files.ts';
import { type MapfileFinding, type MapfileInclude, type MapfileLine, readMapfile } from './ce-mapfile.ts';
import { doubtsAbout } from './ce-mapfile-lint.ts';

export interface MapfileSet {
  /** In the order in which HTCondor tries them. */
  readonly lines: readonly MapfileLine[];
  readonly findings: readonly MapfileFinding[];
}

const largest = 4 * 1024 * 1024;

/** Names that HTCondor leaves out of a directory (the default of LOCAL_CONFIG_DIR_EXCLUDE_REGEXP). */
const leftOut = /^(?:\..*|.*\.pl|.*\.py|.*\.sh|.*~|#.*|.*\.rpmsave|.*\.rpmnew|.*\.dpkg-old|.*\.dpkg-dist|.*\.cfsaved)$/;

/**
 * Reads mapfiles, and directories of them in the order of their names, with what they include. As in HTCondor, an included file
 * includes nothing further. Throws `usage` for what is named on the command line and cannot be read.
 */
export async function readMapfiles(files: Files, paths: readonly string[]): Promise<MapfileSet> {
  const lines: MapfileLine[] = [];
  const findings: MapfileFinding[] = [];
  for (const path of paths) {
    for (const file of await filesAt(files, path)) {
      const read = readMapfile(await textOf(files, file), file);
      findings.push(...read.findings);
      for (const entry of read.entries) {
        if (entry.kind === 'line') lines.push(entry);
        else await include(files, entry, { lines, findings });
      }
    }
  }
  return { lines, findings: [...findings, ...lines.flatMap(doubtsAbout)] };
}

interface Growing {
  readonly lines: MapfileLine[];
  readonly findings: MapfileFinding[];
}

async function include(files: Files, entry: MapfileInclude, into: Growing): Promise<void> {
  const { file, line } = entry;
  const slash = file.lastIndexOf('/');
  const path = entry.path.startsWith('/') || slash < 0 ? entry.path : `${file.slice(0, slash)}/${entry.path}`;
  try {
    for (const inner of await filesAt(files, path)) {
      const read = readMapfile(await textOf(files, inner), inner);
      into.findings.push(...read.findings);
      for (const one of read.entries) {
        if (one.kind === 'line') into.lines.push(one);
        else {
          const message = '@include inside an included file is skipped by HTCondor';
          into.findings.push({ file: one.file, line: one.line, severity: 'error', message });
        }
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    into.findings.push({ file, line, severity: 'error', message: `nothing is included: ${thrown.message}` });
  }
}

async function filesAt(files: Files, path: string): Promise<readonly string[]> {
  const facts = await told(files.facts(path), path);
  if (facts === undefined) throw new Fault('usage', `there is no mapfile ${path}`);
  if (facts.type !== 'directory') return [path];
  const directory = await told(files.openDirectory(path.replace(/(?<=.)\/+$/, '')), path);
  try {
    const names = (await directory.list()).filter((name) => !leftOut.test(name)).toSorted(byBytes);
    const inside: string[] = [];
    for (const name of names) {
      const full = `${path.replace(/\/+$/, '')}/${name}`;
      const found: FileFacts | undefined = await told(files.facts(full), full);
      if (found?.type === 'file') inside.push(full);
    }
    return inside;
  } finally {
    await directory.close();
  }
}

/** As `strcmp` has it, whatever the language of the machine. */
const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

async function textOf(files: Files, path: string): Promise<string> {
  const text = await told(files.readText(path, largest), path);
  if (text === undefined) throw new Fault('usage', `there is no mapfile ${path}`);
  return text;
}

async function told<T>(work: Promise<T>, path: string): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === undefined) throw thrown;
    throw new Fault('usage', `the mapfile ${path} could not be read (${code})`, { cause: thrown });
  }
}
