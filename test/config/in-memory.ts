import type { Config } from '../../src/config/config.ts';
import { formatFinding } from '../../src/config/finding.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { FileFacts, Files } from '../../src/world/files.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';

type Texts = Readonly<Record<string, string>>;

/** A world whose files are these texts, private unless `modes` says otherwise; everything else is real. */
export function worldOf(
  texts: Texts,
  more: Partial<World> & { readonly modes?: Readonly<Record<string, number>> } = {},
): World {
  const real = realWorld();
  const { modes = {}, ...rest } = more;
  const facts = async (path: string): Promise<FileFacts | undefined> => {
    const size = texts[path]?.length;
    if (size === undefined) return undefined;
    const mode = modes[path] ?? 0o600;
    return {
      type: 'file',
      size,
      mode,
      owner: 0,
      group: 0,
      links: 1,
      inode: 1n,
      device: 1n,
      modifiedAt: 0,
      changedAt: 0,
    };
  };
  const files: Files = { ...real.files, readText: async (path) => texts[path], facts, look: facts };
  return { ...real, files, env: { HOME: '/home/robot' }, user: { uid: 1000, gid: 1000 }, ...rest };
}

export function load(path: string, text: string, others: Texts = {}): Promise<Config> {
  return loadConfig(worldOf({ ...others, [path]: text }), path);
}

export const sentences = (config: Config): readonly string[] => config.findings.map(formatFinding);
