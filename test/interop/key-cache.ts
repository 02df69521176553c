import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Storage } from './start-xrootd.ts';

/**
 * libscitokens looks at an issuer's keys anew after ten minutes, and forgets them after four days; an unknown key never makes it
 * look. Both moments stand in its cache, which it opens anew for each token, so that a test can move them instead of waiting.
 */
export function refreshIsDue({ keyCacheFile }: Storage): void {
  const cache = new DatabaseSync(keyCacheFile);
  try {
    // A whole number in SQLite too: libscitokens leaves a row alone whose moments are not.
    const aSecondAgo = BigInt(Math.floor(Date.now() / 1000) - 1);
    const { changes } = cache.prepare("UPDATE keycache SET keys = json_set(keys, '$.next_update', ?)").run(aSecondAgo);
    if (changes === 0) throw new Error('XRootD has fetched no keys yet');
  } finally {
    cache.close();
  }
}

export const keysAreForgotten = ({ keyCacheFile }: Storage): void => rmSync(keyCacheFile);
