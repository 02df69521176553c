import { Fault } from '../fault/fault.ts';
import { nearest } from '../fault/nearest.ts';
import { readRequestPath } from '../token/scope-path.ts';
import { refuseTokens } from './token-options.ts';

/** An action and where, as they stand on the command line. */
export interface AccessWords<Word extends string> {
  readonly action: Word;
  /** There where the action needs one. */
  readonly path: string | undefined;
}

/** What a command knows of actions: those at a path of a storage, and those without one. */
export interface KnownActions<Word extends string> {
  readonly command: string;
  readonly withPath: readonly Word[];
  readonly alone: readonly Word[];
}

/** Reads `ACTION [PATH]`; throws `usage` for words that are none, with the nearest one. */
export function accessWords<Word extends string>(
  given: string,
  path: string | undefined,
  { command, withPath, alone }: KnownActions<Word>,
): AccessWords<Word> {
  refuseTokens([given, ...(path === undefined || path.startsWith('/') ? [] : [path])], command);
  const all = [...withPath, ...alone];
  const action = all.find((word) => word === given);
  if (action === undefined) {
    const guess = nearest(given, all);
    const meant = guess === undefined ? '' : ` (did you mean ${guess}?)`;
    throw new Fault('usage', `there is no action ${given}${meant}`, { hint: `known: ${all.join(', ')}` });
  }
  const needsPath = withPath.includes(action);
  if (needsPath && path === undefined)
    throw new Fault('usage', `${action} needs a path`, { hint: `such as: tokeep ${command} ${action} /data/file` });
  if (!needsPath && path !== undefined) throw new Fault('usage', `${action} takes no path`);
  return { action, path: path === undefined ? undefined : checkedPath(path) };
}

function checkedPath(path: string): string {
  const below = /^[a-z]+:\/\/[^/]*(\/.*)$/i.exec(path)?.[1];
  if (below !== undefined)
    throw new Fault('usage', `${path} is an address, not a path`, { hint: `give its path: ${below}` });
  const reading = readRequestPath(path);
  if (reading.kind === 'path') return path;
  const hint = path.startsWith('/') ? {} : { hint: `is it /${path} that is meant?` };
  throw new Fault('usage', `no place is named: ${reading.why}`, hint);
}
