import { Fault } from '../fault/fault.ts';
import type { JsonValue } from '../mint/policy.ts';
import type { SigningKey } from '../mint/signing-key.ts';
import { printable } from '../observe/printable.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { World } from '../world/world.ts';
import { indexPage, isOurPage } from './index-page.ts';
import { jsonText, type Metadata, metadataOf, type SitePath, sitePlaces, twinOf } from './site.ts';
import { type Found, type SiteFiles, siteFiles } from './site-files.ts';
import { type MergedKeys, mergeKeys } from './site-keys.ts';
import { pagesFiles } from './site-pages.ts';

export interface PublishWish {
  readonly url: IssuerUrl;
  /** All that the issuer ever had, removed ones too: those go from the set if they are still in it. */
  readonly keys: readonly SigningKey[];
  readonly directory: string;
  /** The path of the web server that the directory is served at. */
  readonly servedAt: string;
  /** Take away the keys of others. */
  readonly prune: boolean;
  /** Only say what would be done. */
  readonly dryRun: boolean;
}

export interface SiteChange {
  /** Below the directory. */
  readonly path: string;
  readonly what: 'made' | 'changed' | 'unchanged' | 'left';
}

export interface Published {
  readonly changes: readonly SiteChange[];
  readonly kids: readonly string[];
  /** Of others, left as they were. */
  readonly kept: readonly string[];
  readonly dropped: readonly string[];
  readonly remarks: readonly string[];
}

/** A file as it shall be, and as it was looked at. */
interface Planned {
  readonly path: SitePath;
  readonly text: string;
  readonly before: Found;
}

const patience = 5;

/**
 * Writes the site of an issuer: its keys first, then what leads to them. Only what changed is written, each file whole; run
 * again after it was stopped in the middle it goes on where it was. Keys of others that are published stay.
 *
 * Throws `signing-key-missing`, `site-wrong` (what lies there is another's, or cannot be read), `target-refused`, `target-failed`.
 */
export async function publishSite(world: World, wish: PublishWish): Promise<Published> {
  const files = siteFiles(world, wish.directory);
  for (let round = 1; ; round += 1) {
    const plan = await planSite(files, wish);
    const changes = await carryOut(files, plan.files, wish.dryRun);
    if (changes !== undefined) {
      const { kept, dropped, keys } = plan.merged;
      const kids = keys.map(({ kid }) => String(kid ?? ''));
      return { changes: [...changes, ...plan.left], kids, kept, dropped, remarks: plan.remarks };
    }
    if (round === patience) {
      throw new Fault('target-failed', `${wish.directory} is changed by somebody else all the time`, {
        hint: 'let one access point publish at a time',
      });
    }
  }
}

/** Undefined if somebody else changed a file in between: then everything is looked at anew. */
async function carryOut(
  files: SiteFiles,
  plan: readonly Planned[],
  dryRun: boolean,
): Promise<readonly SiteChange[] | undefined> {
  const changes: SiteChange[] = [];
  for (const { path, text, before } of plan) {
    const isThere = before.kind === 'text';
    const what = !isThere ? 'made' : before.text === text ? 'unchanged' : 'changed';
    if (what !== 'unchanged' && !dryRun && !(await files.replace(path, text, before))) return undefined;
    changes.push({ path: path.join('/'), what });
  }
  return changes;
}

interface Plan {
  readonly files: readonly Planned[];
  readonly left: readonly SiteChange[];
  readonly merged: MergedKeys;
  readonly remarks: readonly string[];
}

async function planSite(files: SiteFiles, wish: PublishWish): Promise<Plan> {
  const places = sitePlaces(wish.url, wish.servedAt);
  const found = await readSite(files, places.metadata, places.jwks, wish);
  const merged = mergeKeys(found.keys, wish.keys, wish);
  const jwks = jsonText({ keys: merged.keys });
  const metadata = jsonText(metadataOf(wish.url, found.metadata));
  const planned: Planned[] = [];
  const left: SiteChange[] = [];
  const remarks = [...merged.remarks];
  const add = async (path: SitePath, text: string) => {
    const before = await files.read(path);
    if (before.kind === 'in-the-way') throw inTheWay(files, path, before.what);
    planned.push({ path, text, before });
  };
  // Keys first: metadata must not lead to where nothing is.
  for (const path of [places.jwks, twinOf(places.jwks)]) await add(path, jwks);
  for (const path of [places.metadata, twinOf(places.metadata)]) await add(path, metadata);
  for (const path of places.alsoMetadata) {
    const before = await files.read(path);
    const why = notOurs(before, wish.url);
    if (why === undefined) planned.push({ path, text: metadata, before });
    else {
      left.push({ path: path.join('/'), what: 'left' });
      remarks.push(`${path.join('/')} is left alone: ${why}; few verifiers look there`);
    }
  }
  const page = await files.read(places.page);
  if (page.kind === 'nothing' || (page.kind === 'text' && isOurPage(page.text))) {
    planned.push({ path: places.page, text: indexPage(wish.url, wish.keys, merged), before: page });
  } else {
    left.push({ path: places.page.join('/'), what: 'left' });
    remarks.push(`${places.page.join('/')} is not of our making, and is left as it is`);
  }
  for (const { path, text } of await pagesFiles(files, wish.url, remarks)) await add(path, text);
  return { files: planned, left, merged, remarks };
}

interface FoundSite {
  readonly metadata: Metadata;
  readonly keys: readonly JsonValue[];
}

/** What is published already. What cannot be understood is not written over: it may be the work of others. */
async function readSite(
  files: SiteFiles,
  metadataPath: SitePath,
  jwksPath: SitePath,
  { url, prune }: PublishWish,
): Promise<FoundSite> {
  const metadata = objectIn(files, metadataPath, await files.read(metadataPath)) ?? {};
  if (metadata['issuer'] !== undefined && metadata['issuer'] !== url) {
    throw new Fault(
      'site-wrong',
      `${pathOf(files, metadataPath)} is of another issuer, ${printable(String(metadata['issuer']))}, and not of ${url}`,
      {
        hint: 'issuers compare to the last character, a slash at the end too; move the file away if it is of no use any more',
      },
    );
  }
  const elsewhere = metadata['jwks_uri'];
  if (elsewhere !== undefined && elsewhere !== metadataOf(url, {})['jwks_uri'] && !prune) {
    throw new Fault(
      'site-wrong',
      `${pathOf(files, metadataPath)} leads to the keys at ${printable(String(elsewhere))}, and keys of others may be there`,
      {
        hint: `put that key set where this issuer publishes, at ${pathOf(files, jwksPath)}, or let it go with --prune`,
      },
    );
  }
  const set = objectIn(files, jwksPath, await files.read(jwksPath));
  if (set !== undefined && !Array.isArray(set['keys'])) throw unreadable(files, jwksPath, 'no key set (RFC 7517)');
  return { metadata, keys: (set?.['keys'] as readonly JsonValue[] | undefined) ?? [] };
}

function objectIn(files: SiteFiles, path: SitePath, found: Found): Metadata | undefined {
  if (found.kind === 'nothing') return undefined;
  if (found.kind === 'in-the-way') throw inTheWay(files, path, found.what);
  try {
    const value = JSON.parse(found.text) as JsonValue;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Metadata;
  } catch {
    // Told below, without the parser's words.
  }
  throw unreadable(files, path, 'no JSON object');
}

/** Why a place that is nice to have is not written to. */
function notOurs(found: Found, url: IssuerUrl): string | undefined {
  if (found.kind === 'in-the-way') return `${found.what} is in the way`;
  if (found.kind === 'nothing') return undefined;
  try {
    if ((JSON.parse(found.text) as Metadata | null)?.['issuer'] === url) return undefined;
  } catch {
    // As good as another's.
  }
  return 'it is of another issuer';
}

const pathOf = (files: SiteFiles, path: SitePath): string => `${files.directory}/${path.join('/')}`;

function unreadable(files: SiteFiles, path: SitePath, what: string): Fault {
  return new Fault('site-wrong', `${pathOf(files, path)} is there and holds ${what}; it is not written over`, {
    hint: `look at it, and move it away: mv ${pathOf(files, path)} ${pathOf(files, path)}.old`,
  });
}

function inTheWay(files: SiteFiles, path: SitePath, what: string): Fault {
  return new Fault('target-refused', `${pathOf(files, path)} cannot be written: ${what} is in the way`, {
    hint: `ls -ld ${pathOf(files, path)}`,
  });
}
