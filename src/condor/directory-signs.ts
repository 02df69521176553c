import { Fault } from '../fault/fault.ts';
import type { Directory } from '../world/files.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';

/** What condor_credd signals. */
const pidFile = 'pid';
/** What says that everything was looked at once. */
const completeFile = 'CREDMON_COMPLETE';

/** Others than root and condor do not get into the directory: its mode decides. */
const readable = 0o644;

/** Takes the place of the last credmon: condor_credd signals this process from now on, though it may remember the old one for 20 s. */
export async function beginSigns(world: World, path: string, pid: number): Promise<void> {
  await inDirectory(world, path, async (directory) => {
    await directory.remove(completeFile).catch(unlessAbsent);
    await write(directory, pidFile, `${pid}`, world);
  });
}

/** The file is there and names us, or it is written again. */
export async function keepSigns(world: World, path: string, pid: number): Promise<void> {
  await inDirectory(world, path, async (directory) => {
    if ((await textOf(directory, pidFile)) !== `${pid}`) await write(directory, pidFile, `${pid}`, world);
  });
}

async function textOf(directory: Directory, name: string): Promise<string | undefined> {
  const file = await directory.open(name, 'read').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    return (await file.read(64))?.toString().trim();
  } finally {
    await file.close();
  }
}

export async function completeSign(world: World, path: string): Promise<void> {
  await inDirectory(world, path, (directory) => write(directory, completeFile, '', world));
}

async function write(directory: Directory, name: string, text: string, world: World): Promise<void> {
  const temporary = `.${name}.tokeep-${world.random.id()}`;
  await replaceFile(directory, name, { bytes: Buffer.from(text), temporary, mode: readable, keeps: 'durable' });
}

async function inDirectory(world: World, path: string, work: (directory: Directory) => Promise<void>): Promise<void> {
  try {
    const directory = await world.files.openDirectory(path);
    try {
      await work(directory);
    } finally {
      await directory.close();
    }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (thrown instanceof Fault || code === undefined) throw thrown;
    throw new Fault(
      'credential-directory-unsafe',
      `nothing could be written in the credential directory ${path} (${code})`,
      {
        hint: 'the credmon runs as root, or as the owner of the directory',
        cause: thrown,
      },
    );
  }
}

function unlessAbsent(thrown: unknown): void {
  if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
}
