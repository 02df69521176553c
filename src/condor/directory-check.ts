import { dirname } from 'node:path/posix';
import { Fault } from '../fault/fault.ts';
import type { FileFacts } from '../world/files.ts';
import type { World } from '../world/world.ts';

/**
 * Faults when the credential directory is none, or others can get at it: as HTCondor wants it, it is root's and condor's alone. It may
 * belong to whom the directory above belongs to, who could swap it anyway (packages give /var/lib/condor to condor).
 */
export async function checkCredentialDirectory(world: World, path: string): Promise<void> {
  const facts = await world.files.look(path);
  if (facts === undefined) throw unusable(path, 'does not exist', `install -d -o root -g condor -m 2770 ${path}`);
  if (facts.type !== 'directory') throw unusable(path, `is no directory but a ${facts.type}`);
  if ((facts.mode & 0o007) !== 0)
    throw unusable(path, `lets everybody in: its mode is ${octal(facts)}`, `chmod o= ${path}`);
  const above = await world.files.facts(dirname(path));
  if (![0, world.user.uid, above?.owner].includes(facts.owner)) {
    throw unusable(path, `belongs to user ${facts.owner}, not to root`, `chown root:condor ${path}`);
  }
  const held = await world.files.openDirectory(path).catch((thrown: NodeJS.ErrnoException) => {
    throw unusable(path, `cannot be read by us (user ${world.user.uid}): ${thrown.code}`);
  });
  await held.close();
}

const octal = ({ mode }: FileFacts): string => mode.toString(8).padStart(4, '0');

function unusable(path: string, what: string, command?: string): Fault {
  const hint = command === undefined ? 'look at SEC_CREDENTIAL_DIRECTORY_OAUTH' : `as root: ${command}`;
  return new Fault('credential-directory-unsafe', `the credential directory ${path} ${what}`, { hint });
}
