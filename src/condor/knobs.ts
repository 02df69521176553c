import { asFault, Fault } from '../fault/fault.ts';
import { seconds } from '../token/time.ts';
import { runTrusted } from '../world/trusted-command.ts';
import type { World } from '../world/world.ts';
import { filesOfList, knobsOfDump } from './knob-dump.ts';

/** HTCondor's configuration, as it was when it was read. */
export interface Knobs {
  /** The value of a knob, whatever the case of its name; undefined if it is not set, or set to nothing, which is the same to HTCondor. */
  get(name: string): string | undefined;
  /** Every knob that is set, in lower case. */
  readonly names: readonly string[];
  /** The files it came from, and the directories where a new one would count: nothing changed as long as their times have not. */
  readonly files: readonly string[];
}

/** Knobs by name, for those who have them already (a dump at hand, a test). */
export function knobsFrom(values: Iterable<readonly [string, string]>, files: readonly string[] = []): Knobs {
  const byName = new Map<string, string>();
  for (const [name, value] of values) if (value.trim() !== '') byName.set(name.toLowerCase(), value.trim());
  return { get: (name) => byName.get(name.toLowerCase()), names: [...byName.keys()], files };
}

/**
 * Reads HTCondor's configuration as a credmon of the master sees it: all knobs with their defaults, and those of
 * `CREDMON_OAUTH.` in front of the plain ones. The program has to be root's, or ours, and so has every directory above it.
 *
 * Throws `condor-unreadable`: the program is missing, could be changed by others, fails, or hangs.
 */
export async function readKnobs(world: World, bin = '/usr/bin', signal?: AbortSignal): Promise<Knobs> {
  const run = (...args: readonly string[]) => configVal(world, bin, args, signal);
  const [dump, list] = await Promise.all([
    run('-subsystem', 'CREDMON_OAUTH', '-dump', '-expanded', '-verbose'),
    run('-config'),
  ]);
  const values = knobsOfDump(dump);
  if (values.size === 0) {
    throw new Fault('condor-unreadable', `${bin}/condor_config_val named no knob at all`, { hint: hintFor(bin) });
  }
  const directories = (values.get('local_config_dir') ?? '').split(/[\s,]+/).filter((path) => path.startsWith('/'));
  return knobsFrom(values, [...filesOfList(list), ...directories]);
}

async function configVal(
  world: World,
  bin: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string> {
  try {
    return await runTrusted(world, {
      argv: [`${bin}/condor_config_val`, ...args],
      env: condorEnvironment(world.env),
      timeout: seconds(30),
      maxOutput: 16 * 1024 * 1024,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (thrown) {
    const fault = asFault(thrown, "reading HTCondor's configuration");
    throw new Fault('condor-unreadable', `HTCondor's configuration could not be read: ${fault.message}`, {
      hint: fault.code === 'command-untrusted' && fault.hint !== undefined ? fault.hint : hintFor(bin),
      cause: thrown,
    });
  }
}

/** The master hands on which configuration is its own (a pool without root has one of its own), and knobs set by the environment. */
const condorEnvironment = (env: World['env']): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && (entry[0] === 'CONDOR_CONFIG' || /^_condor_/i.test(entry[0])),
    ),
  );

const hintFor = (bin: string): string =>
  `run ${bin}/condor_config_val -config as the same user, and see what it says; where it lies elsewhere: --condor-bin DIR`;
