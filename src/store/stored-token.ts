import { DatabaseSync } from 'node:sqlite';
import type { WishName } from '../token/names.ts';
import type { AccessToken } from '../token/secret.ts';
import type { Epoch } from '../token/time.ts';
import type { Row } from './database.ts';
import type { WishRecord } from './records.ts';
import { unpack } from './rows.ts';
import { format } from './schema.ts';
import type { Sealer } from './sealer.ts';
import { sealedAs } from './wish-table.ts';

export interface StoredToken {
  readonly expiresAt: Epoch;
  open(sealer: Sealer): AccessToken;
}

/**
 * The token of a wish, read straight from the SQLite file of a state that exists, with one query and nothing opened for writing:
 * for `tokeep get`. Undefined unless the token was obtained for the wish as it is now. Throws what SQLite throws, and Fault
 * `seal-damaged` or `seal-wrong-key` from `open`; the caller then goes the way that can mend.
 */
export function storedToken(path: string, wish: WishName): StoredToken | undefined {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 50 });
  try {
    const row = database.prepare(query).get(wish) as Row | undefined;
    if (row === undefined || row['format'] !== String(format)) return undefined;
    const doc = unpack<Pick<WishRecord, 'fingerprint' | 'token'>>(wish, row);
    if (doc === undefined || doc.token === null || doc.fingerprint !== row['wished']) return undefined;
    return {
      expiresAt: doc.token.expiresAt,
      open: (sealer) => sealer.open('access_token', String(row['sealed']), sealedAs(wish, Number(row['token_fence']))),
    };
  } finally {
    database.close();
  }
}

const query = `SELECT wish.wished, wish.doc, wish.sum, token.fence AS token_fence, token.sealed,
    (SELECT value FROM meta WHERE key = 'format') AS format
  FROM wish JOIN token ON token.wish = wish.name WHERE wish.name = ? AND wish.state = 'kept'`;
