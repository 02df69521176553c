import { Fault } from '../fault/fault.ts';

/** Result codes of SQLite that mean something here (sqlite.org/rescode.html); extended codes carry them in their low byte. */
const busy = new Set([5, 6]);
const broken = new Set([11, 26]);
const sentences: Readonly<Record<number, string>> = {
  8: 'it is read-only',
  10: 'the disk is full, or has reported an error',
  13: 'there is no room left',
  14: 'it cannot be opened',
};

function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown)) return undefined;
  return Number(thrown.errcode) & 0xff;
}

export const isBusy = (thrown: unknown): boolean => busy.has(resultCode(thrown) ?? -1);
export const isBroken = (thrown: unknown): boolean => broken.has(resultCode(thrown) ?? -1);

/** node:sqlite gives no integer beyond 2^53, and nothing of ours writes one. */
const isForeignNumber = (thrown: unknown): boolean =>
  thrown instanceof RangeError && 'code' in thrown && thrown.code === 'ERR_OUT_OF_RANGE';

/** What helps where the file is the renewer's. */
const beginAnew = 'stop `tokeep run` and start it again: it moves the damaged file aside and keeps what can be read';

/** Turns what SQLite threw into a sentence; what is ours already, or nobody's, stays as it is. `mend` is the hint for a damaged file. */
export function sqliteFault(thrown: unknown, path: string, mend = beginAnew): unknown {
  if (isForeignNumber(thrown)) {
    return new Fault('state-broken', `${path} holds a number that tokeep never wrote`, {
      hint: 'something else wrote to it: keep a copy of the file, and restore it from a backup',
      cause: thrown,
    });
  }
  const code = resultCode(thrown);
  if (code === undefined) return thrown;
  if (busy.has(code)) return new Fault('state-busy', `${path} is being written by another tokeep`, { cause: thrown });
  if (broken.has(code)) {
    return new Fault('state-broken', `${path} is damaged`, {
      hint: mend,
      cause: thrown,
    });
  }
  const found = sentences[code] ?? `SQLite says ${code}`;
  return new Fault('state-write-failed', `${path} could not be read or written: ${found}`, {
    hint: `df ${path}   # is there room?`,
    cause: thrown,
  });
}
