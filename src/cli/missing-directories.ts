import { dirname } from 'node:path/posix';
import type { Config, ConfigFinding } from '../config/config.ts';
import { word } from '../observe/next-step.ts';
import type { World } from '../world/world.ts';
import { findUser } from './service-user.ts';

/**
 * A warning for each directory that a token is delivered to and that is not there, with the command that makes it. No error: on
 * another node, or once a file system is mounted, it may be there.
 */
export async function missingDirectories(
  world: World,
  { wishes }: Config,
  stateDir: string,
): Promise<readonly ConfigFinding[]> {
  const looked = new Set<string>();
  const found: ConfigFinding[] = [];
  for (const { name, at, targets } of wishes.values()) {
    for (const target of targets) {
      if (target.kind !== 'file') continue;
      const directory = dirname(target.path);
      if (looked.has(directory)) continue;
      looked.add(directory);
      if (!(await isMissing(world, directory))) continue;
      const command = `install -d ${await ownerOption(world, stateDir)}${word(directory)}`;
      const message = `the directory ${directory}, where token "${name}" goes, does not exist; make it: ${command}`;
      found.push({ severity: 'warning', code: 'config-invalid', at, message });
    }
  }
  return found;
}

async function isMissing({ files }: World, path: string): Promise<boolean> {
  try {
    return (await files.facts(path)) === undefined;
  } catch {
    // We may not look there; whoever renews may.
    return false;
  }
}

/** Root makes it for whoever keeps the state, since that is who writes the tokens. */
async function ownerOption(world: World, stateDir: string): Promise<string> {
  if (world.user.uid !== 0) return '';
  const owner = (await world.files.facts(stateDir).catch(() => undefined))?.owner ?? 0;
  if (owner === 0) return '';
  const user = await findUser(world, String(owner));
  return `-o ${user?.name ?? owner} `;
}
