import { Fault } from '../fault/fault.ts';
import type { JsonValue } from '../mint/policy.ts';
import { printable } from '../observe/printable.ts';
import type { IssuerUrl } from '../token/names.ts';
import { jsonObjectIn } from '../verify/strict-json.ts';
import { type Metadata, metadataOf, type SitePath, type SitePlaces, twinOf } from './site.ts';
import type { Found, SiteFiles } from './site-files.ts';
import { isKey, kidOf } from './site-keys.ts';

/** What is published already. */
export interface FoundSite {
  readonly metadata: Metadata;
  readonly keys: readonly JsonValue[];
  readonly remarks: readonly string[];
}

interface Reader {
  readonly url: IssuerUrl;
  readonly prune: boolean;
}

/**
 * Reads what lies at the places of a site, and beside them: issuers on static hosts often have the `.json` files alone, and others who
 * publish there add their keys to those. What cannot be understood is not written over, since it may be the work of others: throws
 * `site-wrong` and `target-refused`.
 */
export async function readSite(files: SiteFiles, places: SitePlaces, reader: Reader): Promise<FoundSite> {
  const beside = await metadataAt(files, twinOf(places.metadata), places.jwks, reader);
  const metadata = { ...beside, ...(await metadataAt(files, places.metadata, places.jwks, reader)) };
  const keys = await keysAt(files, places.jwks);
  const twin = twinOf(places.jwks);
  const known = new Set(keys.map(nameOf));
  const more = (await keysAt(files, twin)).filter((key) => !known.has(nameOf(key)));
  const isNews = more.length > 0 && keys.length > 0;
  const remarks = isNews
    ? [`${twin.join('/')} held keys that ${places.jwks.join('/')} did not: both have all now`]
    : [];
  return { metadata, keys: [...keys, ...more], remarks };
}

/** Its kid; keys without one are told apart by all they have. */
const nameOf = (key: JsonValue): string => (isKey(key) ? kidOf(key) : '') || JSON.stringify(key);

async function metadataAt(files: SiteFiles, path: SitePath, jwks: SitePath, { url, prune }: Reader): Promise<Metadata> {
  const metadata = objectIn(files, path, await files.read(path)) ?? {};
  if (metadata['issuer'] !== undefined && metadata['issuer'] !== url) {
    throw new Fault(
      'site-wrong',
      `${pathOf(files, path)} is of another issuer, ${printable(String(metadata['issuer']))}, and not of ${url}`,
      {
        hint: 'issuers compare to the last character, a slash at the end too; move the file away if it is of no use any more',
      },
    );
  }
  const elsewhere = metadata['jwks_uri'];
  if (elsewhere !== undefined && elsewhere !== metadataOf(url, {})['jwks_uri'] && !prune) {
    throw new Fault(
      'site-wrong',
      `${pathOf(files, path)} leads to the keys at ${printable(String(elsewhere))}, and keys of others may be there`,
      {
        hint: `put that key set where this issuer publishes, at ${pathOf(files, jwks)}, or let it go with --prune`,
      },
    );
  }
  return metadata;
}

async function keysAt(files: SiteFiles, path: SitePath): Promise<readonly JsonValue[]> {
  const set = objectIn(files, path, await files.read(path));
  if (set === undefined) return [];
  if (!Array.isArray(set['keys'])) throw unreadable(files, path, 'no key set (RFC 7517)');
  return set['keys'];
}

function objectIn(files: SiteFiles, path: SitePath, found: Found): Metadata | undefined {
  if (found.kind === 'nothing') return undefined;
  if (found.kind === 'in-the-way') throw inTheWay(files, path, found.what);
  const value = jsonObjectIn(found.text);
  if (value !== undefined) return value as Metadata;
  throw unreadable(files, path, 'no JSON object');
}

/** Why a place that is nice to have is not written to. */
export function notOurs(found: Found, url: IssuerUrl): string | undefined {
  if (found.kind === 'in-the-way') return `${found.what} is in the way`;
  if (found.kind === 'nothing') return undefined;
  if (jsonObjectIn(found.text)?.['issuer'] === url) return undefined;
  return 'it is of another issuer';
}

const pathOf = (files: SiteFiles, path: SitePath): string => `${files.directory}/${path.join('/')}`;

function unreadable(files: SiteFiles, path: SitePath, what: string): Fault {
  return new Fault('site-wrong', `${pathOf(files, path)} is there and holds ${what}; it is not written over`, {
    hint: `look at it, and move it away: mv ${pathOf(files, path)} ${pathOf(files, path)}.old`,
  });
}

export function inTheWay(files: SiteFiles, path: SitePath, what: string): Fault {
  return new Fault('target-refused', `${pathOf(files, path)} cannot be written: ${what} is in the way`, {
    hint: `ls -ld ${pathOf(files, path)}`,
  });
}
