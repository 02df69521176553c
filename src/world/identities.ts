import { Fault } from '../fault/fault.ts';
import { after, type Mono, minutes, seconds } from '../token/time.ts';
import type { World } from './world.ts';

/** A user of this machine. A number that no database knows has no group. */
export interface UserIdentity {
  readonly uid: number;
  readonly gid?: number;
}

interface Cached {
  readonly line: readonly string[] | undefined;
  readonly until: Mono;
}
type Database = 'passwd' | 'group';

const keptFor = minutes(5);
const caches = new WeakMap<World, Map<string, Cached>>();
const plausible = /^[^-:/\s\p{Cc}][^:/\p{Cc}]*$/u;

/** The user of this name or number. Faults with `target-refused` when there is none. */
export async function lookUpUser(world: World, name: string): Promise<UserIdentity> {
  const line = await lookUp(world, 'passwd', name);
  if (line !== undefined) return { uid: Number(line[2]), gid: Number(line[3]) };
  if (isNumber(name)) return { uid: Number(name) };
  throw new Fault('target-refused', `there is no user ${JSON.stringify(name)} on this machine`, {
    hint: `getent passwd ${name}`,
  });
}

/** The name of the user of this number, or the number itself where no database knows it. */
export async function nameOfUser(world: World, uid: number): Promise<string> {
  const [name = ''] = (await lookUp(world, 'passwd', String(uid))) ?? [];
  return name === '' ? String(uid) : name;
}

/** The number of the group of this name or number. Faults with `target-refused` when there is none. */
export async function lookUpGroup(world: World, name: string): Promise<number> {
  if (isNumber(name)) return Number(name);
  const line = await lookUp(world, 'group', name);
  if (line !== undefined) return Number(line[2]);
  throw new Fault('target-refused', `there is no group ${JSON.stringify(name)} on this machine`, {
    hint: `getent group ${name}`,
  });
}

/** The last number of 32 bits is no user and no group: chown(2) takes it for "leave as it is". */
const isNumber = (name: string): boolean => /^\d{1,10}$/.test(name) && Number(name) < 0xffff_ffff;

async function lookUp(world: World, database: Database, name: string): Promise<readonly string[] | undefined> {
  if (!plausible.test(name)) return undefined;
  const cache = caches.get(world) ?? new Map<string, Cached>();
  caches.set(world, cache);
  const key = `${database} ${name}`;
  const now = world.clock.monotonic();
  const known = cache.get(key);
  if (known !== undefined && now < known.until) return known.line;
  const line = await ask(world, database, name);
  // A user who is missing may be made any moment; only who is there is remembered.
  if (line !== undefined) cache.set(key, { line, until: after(now, keptFor) });
  return line;
}

/** By `getent`, so that directories such as LDAP and SSSD are asked too; where it is missing, by the file. */
async function ask(world: World, database: Database, name: string): Promise<readonly string[] | undefined> {
  const end = await world.processes.run({
    file: '/usr/bin/getent',
    args: [database, name],
    env: { LC_ALL: 'C' },
    timeout: seconds(10),
    maxOutput: 1 << 20,
  });
  switch (end.kind) {
    case 'exited':
      if (end.status === 0) return entry(end.stdout, name);
      if (end.status === 2) return undefined;
      break;
    case 'not-started':
      return entry((await world.files.readText(`/etc/${database}`, 16 << 20)) ?? '', name);
    case 'killed':
    case 'timed-out':
    case 'too-much-output':
      break;
  }
  throw new Fault('target-failed', `the ${database} database of this machine gives no answer about ${name}`, {
    hint: `getent ${database} ${name}`,
  });
}

function entry(text: string, name: string): readonly string[] | undefined {
  for (const line of text.split('\n')) {
    const fields = line.split(':');
    if (fields.length > 2 && (fields[0] === name || fields[2] === name)) return fields;
  }
  return undefined;
}
