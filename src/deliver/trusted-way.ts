import { dirname } from 'node:path/posix';
import { Fault } from '../fault/fault.ts';
import type { FileFacts, Files } from '../world/files.ts';

/** One component of the way to a directory: what it leads to, and the link itself where it is one. */
export interface WayStep {
  readonly path: string;
  readonly facts: FileFacts;
  readonly link?: FileFacts;
}

/** Everything from `/` to `path`, looked at once. Faults with `target-refused` when something is missing. */
export async function lookAlong(files: Files, path: string): Promise<readonly WayStep[]> {
  return await Promise.all(prefixes(path).map((prefix) => lookAt(files, prefix)));
}

async function lookAt(files: Files, path: string): Promise<WayStep> {
  const itself = await files.look(path);
  if (itself !== undefined && itself.type !== 'link') return { path, facts: itself };
  const behind = itself === undefined ? undefined : await files.facts(path);
  if (itself !== undefined && behind !== undefined) return { path, facts: behind, link: itself };
  throw new Fault('target-refused', `the directory ${path} does not exist`, { hint: `make it: install -d ${path}` });
}

function prefixes(path: string): string[] {
  const above = dirname(path);
  return above === path ? [path] : [...prefixes(above), path];
}

/**
 * Refuses a way of which somebody else could swap a component: every directory belongs to root or one of `owners`, and others
 * may write in it only if it is sticky. The last directory may be writable for its group, since that is how a service and its
 * readers share one.
 */
export function refuseUnsafeWay(way: readonly WayStep[], owners: readonly number[]): void {
  for (const step of way) {
    const { path, facts, link } = step;
    if (facts.type !== 'directory') throw new Fault('target-refused', `${path} is not a directory but a ${facts.type}`);
    refuseStranger(path, facts, owners);
    if (link !== undefined) {
      refuseStranger(path, link, owners);
      refuseBorrowedRights(path, facts, link, owners);
    }
    if ((facts.mode & 0o002) !== 0 && (facts.mode & 0o1000) === 0) {
      throw new Fault(
        'target-refused',
        `everybody may replace files in ${path} (mode ${octal(facts.mode)}, not sticky), so no token is written below it`,
        { hint: `close it: chmod o-w ${path}` },
      );
    }
  }
}

/** The owner of a file must not lead us, who may write more than they, to where only others may. `owners` begins with us. */
function refuseBorrowedRights(path: string, facts: FileFacts, link: FileFacts, [us]: readonly number[]): void {
  if (link.owner === 0 || link.owner === us || link.owner === facts.owner) return;
  throw new Fault(
    'target-refused',
    `the link ${path} of user ${link.owner} leads to a directory of user ${facts.owner}, where they may not write themselves`,
    { hint: 'name the place the link leads to, if that is where the token shall go' },
  );
}

function refuseStranger(path: string, facts: FileFacts, owners: readonly number[]): void {
  if (facts.owner === 0 || owners.includes(facts.owner)) return;
  throw new Fault(
    'target-refused',
    `${path} belongs to user ${facts.owner}, who could put something else in the way of the token`,
    { hint: `use a directory of root or of the owner of the file, or give this one away: chown root ${path}` },
  );
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');
