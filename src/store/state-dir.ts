import { Fault } from '../fault/fault.ts';
import type { FileFacts } from '../world/files.ts';
import type { World } from '../world/world.ts';

/** statfs(2) types of file systems that are shared between hosts, where neither locks nor WAL can be trusted. */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x517b, 'SMB'],
  [0x00c36400, 'CephFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x5346414f, 'AFS'],
]);

const octal = (mode: number): string => `0${mode.toString(8)}`;

function refuse(path: string, expected: string, found: string, hint: string): never {
  throw new Fault('state-unsafe', `the state directory ${path} is not safe: expected ${expected}, found ${found}`, {
    hint,
  });
}

function judge(path: string, facts: FileFacts, uid: number): void {
  if (facts.type !== 'directory') {
    const found = facts.type === 'link' ? 'a symbolic link' : `a ${facts.type}`;
    refuse(path, 'a directory', found, `ls -l ${path}   # then remove it, or name another place with --state`);
  }
  if (facts.owner !== uid) {
    refuse(path, `owner ${uid}`, `owner ${facts.owner}`, `chown -R ${uid} ${path}   # or run tokeep as its owner`);
  }
  if ((facts.mode & 0o077) !== 0 || (facts.mode & 0o700) !== 0o700) {
    refuse(path, 'mode 0700', `mode ${octal(facts.mode)}`, `chmod 0700 ${path}`);
  }
}

async function look(world: World, path: string): Promise<FileFacts | undefined> {
  try {
    return await world.files.look(path);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault(
      'state-unsafe',
      `the state directory ${path} is out of reach for user ${world.user.uid} (${code})`,
      {
        hint: `namei -lo ${path}   # who may go there`,
        cause: thrown,
      },
    );
  }
}

async function make(world: World, path: string): Promise<void> {
  try {
    await world.files.makeDirectories(path, 0o700);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault('state-unsafe', `the state directory ${path} does not exist and could not be made (${code})`, {
      hint: `install -d -m 0700 -o ${world.user.uid} ${path}`,
      cause: thrown,
    });
  }
}

/** A file made and removed again: a mode says nothing about a read-only mount or a full disk. */
async function tryToWrite(world: World, path: string): Promise<void> {
  const name = `.probe-${world.random.id()}`;
  try {
    const directory = await world.files.openDirectory(path);
    try {
      const file = await directory.createExclusive(name, 0o600);
      await file.close();
      await directory.remove(name);
    } finally {
      await directory.close();
    }
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault('state-unsafe', `the state directory ${path} cannot be written to (${code})`, {
      hint: `df ${path}; findmnt --target ${path}   # is it full, or mounted read-only?`,
      cause: thrown,
    });
  }
}

/**
 * Makes the state directory (0700), or refuses one that is not ours alone, before anything is spent (scenario 15).
 * Throws Fault `state-unsafe` with path, what was expected and found, and the command that mends it.
 */
export async function prepareStateDir(world: World, path: string): Promise<void> {
  if ((await look(world, path)) === undefined) await make(world, path);
  const facts = await look(world, path);
  if (facts === undefined) refuse(path, 'a directory', 'nothing', `install -d -m 0700 ${path}`);
  judge(path, facts, world.user.uid);
  const network = networkFileSystems.get((await world.files.fileSystemType(path)) >>> 0);
  if (network !== undefined) {
    refuse(path, 'a local file system', network, 'name a local directory with --state, or use store: postgres');
  }
  await tryToWrite(world, path);
}
