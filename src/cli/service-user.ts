import { Fault } from '../fault/fault.ts';
import { seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';

export interface ServiceUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The user of that name, or with that number, as this machine knows it; undefined if there is none. */
export async function findUser(world: World, name: string): Promise<ServiceUser | undefined> {
  const end = await world.processes.run({
    file: '/usr/bin/getent',
    args: ['passwd', '--', name],
    env: { LC_ALL: 'C' },
    timeout: seconds(10),
    maxOutput: 65_536,
  });
  if (end.kind !== 'exited' || end.status !== 0) return undefined;
  const [found, , uid, gid, , home] = end.stdout.trim().split(':');
  if (found === undefined || (found !== name && uid !== name)) return undefined;
  if (!/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) return undefined;
  return { name: found, uid: Number(uid), gid: Number(gid), home: home ?? '/' };
}

/**
 * Gives up root for good: groups first, then group, then user, since the last step takes away the right to the others. Shows
 * that there is no way back before it returns; a program that believes it dropped its rights is worse than one that did not.
 */
export function becomeUser({ name, uid, gid, home }: ServiceUser): void {
  const { initgroups } = process as typeof process & { initgroups?(user: string, group: number): void };
  if (initgroups === undefined || process.setgid === undefined || process.setuid === undefined) return;
  initgroups(name, gid);
  process.setgid(gid);
  process.setuid(uid);
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid || process.getegid?.() !== gid || canReturn(uid)) {
    throw new Fault('bug', `did not become the user ${name}; nothing was written`);
  }
  Object.assign(process.env, environmentOf({ name, uid, gid, home }, process.env));
  for (const place of rootsOwn) delete process.env[place];
}

/** Places of root's own that the new user could neither read nor write. */
const rootsOwn = ['XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_RUNTIME_DIR', 'XDG_CACHE_HOME'] as const;

/** What the environment is for that user, so that what lies below a home is looked for below its own. */
export function environmentOf({ name, home }: ServiceUser, env: World['env']): World['env'] {
  const others = Object.entries(env).filter(([key]) => !(rootsOwn as readonly string[]).includes(key));
  return { ...Object.fromEntries(others), HOME: home, USER: name, LOGNAME: name };
}

function canReturn(uid: number): boolean {
  if (uid === 0) return false;
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}
