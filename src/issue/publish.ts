import { Fault } from '../fault/fault.ts';
import type { SigningKey } from '../mint/signing-key.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { World } from '../world/world.ts';
import { indexPage, isOurPage } from './index-page.ts';
import { jsonText, metadataOf, type SitePath, sitePlaces, twinOf } from './site.ts';
import { type Found, lookingOnce, type SiteFiles, siteFiles } from './site-files.ts';
import { inTheWay, notOurs, readSite } from './site-found.ts';
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
    const plan = await planSite(lookingOnce(files), wish);
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
  const found = await readSite(files, places, wish);
  const merged = mergeKeys(found.keys, wish.keys, wish);
  const jwks = jsonText({ keys: merged.keys });
  const metadata = jsonText(metadataOf(wish.url, found.metadata));
  const planned: Planned[] = [];
  const left: SiteChange[] = [];
  const remarks = [...found.remarks, ...merged.remarks];
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
