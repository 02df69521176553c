import { createHash, hash } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import type { Row } from '../store/database.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { AuditEntry, AuditHead, AuditLine } from './audit.ts';

const longestSentence = 512;
const longestText = 255;
const mostTexts = 50;

/** What the line before the first one would have as its hash: a chain cannot be put into another issuer's log, or under another name. */
export function chainStart(url: IssuerUrl, chain: string): string {
  return createHash('sha256')
    .update(JSON.stringify(['tokeep audit log', url, chain]))
    .digest('hex');
}

export const linkHash = (before: string, line: string): string => hash('sha256', before + line);

/**
 * An entry as its line, always with the same order of names. What a stranger asked for may be of any size and is cut: a log must not be
 * filled by one request.
 */
export function lineOf(entry: AuditEntry): string {
  const { at, event, by, jti, subject, audiences, scopes, expiresAt, kid, deliveredTo, requestId, reason } = entry;
  return JSON.stringify({
    at,
    event,
    by: cut(by),
    jti,
    subject: subject === undefined ? undefined : cut(subject),
    audiences: cutAll(audiences),
    scopes: cutAll(scopes),
    expiresAt,
    kid,
    deliveredTo: cutAll(deliveredTo),
    requestId: requestId === undefined ? undefined : cut(requestId),
    reason: reason === undefined ? undefined : cut(reason, longestSentence),
  });
}

function cut(text: string, longest = longestText): string {
  const more = text.length - longest;
  return more > 0 ? `${text.slice(0, longest)}… (${more} more characters)` : text;
}

function cutAll(texts: readonly string[] | undefined): readonly string[] | undefined {
  if (texts === undefined) return undefined;
  const more = texts.length - mostTexts;
  return more > 0
    ? [...texts.slice(0, mostTexts).map((text) => cut(text)), `… and ${more} more`]
    : texts.map((text) => cut(text));
}

export const headOf = (row: Row): AuditHead => ({
  chain: String(row['chain']),
  seq: Number(row['seq']),
  hash: String(row['hash']),
});

/** Throws Fault `state-broken` for a line that is none, which verifying the log would tell of, too. */
export function auditLineOf(row: Row): AuditLine {
  const head = headOf(row);
  const entry = entryOf(String(row['line']));
  if (entry !== undefined) return { ...head, entry };
  throw new Fault('state-broken', `line ${head.seq} of the audit log ${head.chain} is not one that was written there`, {
    hint: 'tokeep issuer audit   # says whether the others are; keep a copy of the database as it is',
  });
}

export function entryOf(line: string): AuditEntry | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? (entry as AuditEntry) : undefined;
  } catch {
    return undefined;
  }
}
