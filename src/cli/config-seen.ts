import { resolve } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { between, epoch, seconds } from '../token/time.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { type ConfigTrace, unchanged } from './config-trace.ts';

/** Beside the state: what was read when the store last took the configuration in. Only a shortcut; it may be lost at any time. */
export const seenName = 'config-seen.json';

interface Seen {
  /** Another tokeep may read the same configuration in another way. */
  readonly version: string;
  /** What `--config` said. */
  readonly asked: string | null;
  readonly trace: ConfigTrace;
}

const askedFor = (config: string | undefined) => (config === undefined ? null : resolve(config));

/** A file changed so shortly before could be changed again without its times telling. */
const racy = seconds(2);

/** Notes that the store has taken in the configuration that was read with this trace. Says nothing of what goes wrong. */
export async function noteSeen(
  world: World,
  stateDir: string,
  config: string | undefined,
  trace: ConfigTrace,
): Promise<void> {
  if (trace.commands || (await justChanged(world, trace))) return;
  const seen: Seen = { version: manifest.version, asked: askedFor(config), trace };
  const temporary = `.${seenName}.${world.random.id()}`;
  try {
    const directory = await world.files.openDirectory(stateDir);
    try {
      const bytes = Buffer.from(JSON.stringify(seen));
      await replaceFile(directory, seenName, { bytes, temporary, mode: 0o600, keeps: 'whole' });
    } finally {
      await directory.close();
    }
  } catch {
    // Without it `get` goes the longer way.
  }
}

async function justChanged(world: World, trace: ConfigTrace): Promise<boolean> {
  const now = world.clock.now();
  for (const path of Object.keys(trace.files)) {
    const modified = (await world.files.facts(path).catch(() => undefined))?.modifiedAt;
    if (modified !== undefined && between(epoch(modified), now) < racy) return true;
  }
  return false;
}

/** Is the configuration the one that the store has taken in? `text` is what lies in the file. */
export function isSeen(
  text: string,
  config: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  try {
    const seen = JSON.parse(text) as Seen;
    return seen.version === manifest.version && seen.asked === askedFor(config) && unchanged(seen.trace, env);
  } catch {
    return false;
  }
}
