import type { World } from '../world/world.ts';

/** `bt_u<uid>`, or `bt_u<uid>-<purpose>` where a user has several tokens. */
export function discoveryName(uid: number, purpose?: string): string {
  return purpose === undefined ? `bt_u${uid}` : `bt_u${uid}-${purpose}`;
}

/** Where programs of a user look in the end, when nothing else is said. */
export function fallbackPlace(uid: number, purpose?: string): string {
  return `/tmp/${discoveryName(uid, purpose)}`;
}

/**
 * Where programs of this user look when nothing is said to them: the user's runtime directory if there is one that belongs to
 * the user (systemd makes it while somebody is logged in, or lingers), else `/tmp`.
 */
export async function placeOfUser(world: World, uid: number, purpose?: string): Promise<string> {
  const runtime = `/run/user/${uid}`;
  const facts = await world.files.look(runtime);
  const usable = facts?.type === 'directory' && facts.owner === uid;
  return usable ? `${runtime}/${discoveryName(uid, purpose)}` : fallbackPlace(uid, purpose);
}

/** A purpose becomes a part of a file name. */
export function isPurpose(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text);
}
