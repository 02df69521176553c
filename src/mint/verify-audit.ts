import type { Database, Row } from '../store/database.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { AuditHead, AuditVerdict } from './audit.ts';
import { chainStart, entryOf, linkHash } from './audit-line.ts';

const batch = 2_000;

type Broken = Extract<AuditVerdict, { kind: 'broken' }>;
type ChainEnd = { readonly kind: 'whole'; readonly head: AuditHead };

/** Reads every chain from its first line: numbers without gaps, each hash over the one before, columns as their line says. */
export async function verifyChains(
  database: Database,
  url: IssuerUrl,
  known: readonly AuditHead[],
): Promise<AuditVerdict> {
  const chains = await database.read('SELECT DISTINCT chain FROM issuer_audit');
  const names = new Set([...chains.map((row) => String(row['chain'])), ...known.map(({ chain }) => chain)]);
  const heads: AuditHead[] = [];
  for (const chain of [...names].toSorted()) {
    const end = await verifyChain(
      database,
      { chain, seq: 0, hash: chainStart(url, chain) },
      known.filter((head) => head.chain === chain),
    );
    if (end.kind === 'broken') return end;
    heads.push(end.head);
  }
  return { kind: 'whole', heads, lines: heads.reduce((sum, { seq }) => sum + seq, 0) };
}

async function verifyChain(
  database: Database,
  start: AuditHead,
  known: readonly AuditHead[],
): Promise<ChainEnd | Broken> {
  // All of them: where two heads of the same number differ, the lines were written anew in between.
  const expected = Map.groupBy(known, ({ seq }) => seq);
  let head = start;
  for (;;) {
    const rows = await database.read(
      'SELECT seq, at, jti, line, hash FROM issuer_audit WHERE chain = $1 AND seq > $2 ORDER BY seq LIMIT $3',
      [start.chain, head.seq, batch],
    );
    for (const row of rows) {
      const why = whyNotNext(head, row, expected);
      if (why !== undefined) return { kind: 'broken', chain: start.chain, seq: head.seq + 1, why };
      head = { chain: start.chain, seq: head.seq + 1, hash: String(row['hash']) };
    }
    if (rows.length < batch) break;
  }
  const furthest = Math.max(0, ...expected.keys());
  if (furthest <= head.seq) return { kind: 'whole', head };
  const why = `its end is missing: line ${furthest} was there once, and the last one now is ${head.seq}`;
  return { kind: 'broken', chain: start.chain, seq: head.seq + 1, why };
}

function whyNotNext(
  head: AuditHead,
  row: Row,
  expected: ReadonlyMap<number, readonly AuditHead[]>,
): string | undefined {
  const seq = Number(row['seq']);
  if (seq !== head.seq + 1) return `line ${head.seq + 1} is missing; after line ${head.seq} comes line ${seq}`;
  const line = String(row['line']);
  const hash = linkHash(head.hash, line);
  if (hash !== row['hash']) return `line ${seq} is not what was written: its hash does not fit`;
  if (expected.get(seq)?.some((told) => told.hash !== hash)) {
    return `line ${seq} is another one than was written: its hash is not the one that was noted elsewhere`;
  }
  const entry = entryOf(line);
  if (entry?.at === Number(row['at']) && (entry.jti ?? null) === row['jti']) return undefined;
  return `line ${seq} would be found by another time or jti than it has`;
}
