import { createHash, hash } from 'node:crypto';
import type { Row } from '../store/database.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { AuditEntry, AuditHead, AuditLine } from './audit.ts';

const longestText = 512;
const mostTexts = 64;

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
    reason: reason === undefined ? undefined : cut(reason),
  });
}

const cut = (text: string): string => (text.length > longestText ? `${text.slice(0, longestText)}…` : text);

function cutAll(texts: readonly string[] | undefined): readonly string[] | undefined {
  if (texts === undefined) return undefined;
  const more = texts.length - mostTexts;
  return more > 0 ? [...texts.slice(0, mostTexts).map(cut), `… and ${more} more`] : texts.map(cut);
}

export const headOf = (row: Row): AuditHead => ({
  chain: String(row['chain']),
  seq: Number(row['seq']),
  hash: String(row['hash']),
});

export const auditLineOf = (row: Row): AuditLine => ({
  ...headOf(row),
  entry: JSON.parse(String(row['line'])) as AuditEntry,
});
