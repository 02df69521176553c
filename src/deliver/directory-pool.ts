import { after, hours, type Mono, millis } from '../token/time.ts';
import type { Directory, Files } from '../world/files.ts';
import type { World } from '../world/world.ts';
import { sweepLeftovers } from './leftovers.ts';
import { refuseUnsafeWay, type WayStep, walkTo } from './trusted-way.ts';

/** A directory that overlapping deliveries share. */
export interface SharedDirectory {
  /** Its sync is shared by the renames of the same moment. */
  readonly directory: Directory;
  /** As walked at most a second ago, `directory` last. */
  readonly way: readonly WayStep[];
}

interface Held {
  readonly opened: Promise<SharedDirectory>;
  readonly until: Mono;
  users: number;
}

/** After this a directory is opened and looked at anew even if deliveries into it never stop. */
const longestHold = millis(1_000);
const betweenSweeps = hours(1);

interface Pool {
  readonly held: Map<string, Held>;
  readonly sweptAt: Map<string, Mono>;
}
const pools = new WeakMap<Files, Pool>();

/**
 * Runs `work` with the directory held by its descriptor. Faults with `target-refused` when the way to it is not safe for a file
 * of one of `owners` (root is always among them).
 */
export async function inDirectory<T>(
  world: World,
  path: string,
  owners: readonly number[],
  work: (shared: SharedDirectory) => Promise<T>,
): Promise<T> {
  const pool = poolOf(world.files);
  const held = borrow(pool, world, path);
  try {
    const shared = await held.opened;
    refuseUnsafeWay(shared.way, owners);
    await sweepNowAndThen(pool, world, shared, owners);
    return await work(shared);
  } finally {
    held.users -= 1;
    if (held.users === 0) {
      if (pool.held.get(path) === held) pool.held.delete(path);
      await held.opened.then(
        (shared) => shared.directory.close(),
        () => {},
      );
    }
  }
}

function poolOf(files: Files): Pool {
  const known = pools.get(files);
  if (known !== undefined) return known;
  const made: Pool = { held: new Map(), sweptAt: new Map() };
  pools.set(files, made);
  return made;
}

function borrow(pool: Pool, world: World, path: string): Held {
  const now = world.clock.monotonic();
  const known = pool.held.get(path);
  if (known !== undefined && now < known.until) {
    known.users += 1;
    return known;
  }
  const made: Held = { opened: openShared(world.files, path), until: after(now, longestHold), users: 1 };
  pool.held.set(path, made);
  return made;
}

async function openShared(files: Files, path: string): Promise<SharedDirectory> {
  const { directory, steps } = await walkTo(files, path);
  return { directory: { ...directory, sync: sharedSync(directory) }, way: steps };
}

/** One sync at a time; all who ask while it runs share the next one, which begins after every one of their renames. */
function sharedSync(directory: Directory): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    last = directory.sync();
    return last;
  };
  return () => {
    next ??= last.then(begin, begin);
    return next;
  };
}

async function sweepNowAndThen(
  pool: Pool,
  world: World,
  shared: SharedDirectory,
  owners: readonly number[],
): Promise<void> {
  const now = world.clock.monotonic();
  const last = pool.sweptAt.get(shared.directory.path);
  if (last !== undefined && now < after(last, betweenSweeps)) return;
  pool.sweptAt.set(shared.directory.path, now);
  await sweepLeftovers(shared.directory, owners, world.clock.now());
}
