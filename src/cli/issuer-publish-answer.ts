import { dirname, resolve } from 'node:path';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { type Published, publishSite } from '../issue/publish.ts';
import { markPublished } from '../mint/rotate-keys.ts';
import { counted, printable } from '../observe/printable.ts';
import type { Context } from './context.ts';
import { whoAsks, withIssuer } from './issuer-place.ts';

export interface PublishOptions {
  readonly dir?: string;
  readonly servedAt: string;
  readonly prune?: true;
  readonly dryRun?: true;
}

/** `tokeep issuer publish OUTDIR`: what changed on stdout, what to do with it on stderr. */
export async function publish(context: Context, outDir: string, options: PublishOptions): Promise<ExitCode> {
  const { world } = context;
  const directory = resolve(outDir);
  const by = `publish ${whoAsks(world)}`;
  const dryRun = options.dryRun === true;
  return await withIssuer(context, options.dir, async (issuer) => {
    await refuseFarAway(context, directory);
    const keys = await issuer.keys({ removed: true });
    const wish = { url: issuer.settings.url, keys, directory, servedAt: options.servedAt };
    // The web server has to read what we make, however closed our own files are; whoever opened them has done so by now.
    process.umask(0o022);
    const published = await publishSite(world, { ...wish, prune: options.prune === true, dryRun });
    for (const remark of published.remarks) await context.warn(printable(remark));
    const marked = dryRun ? [] : await markPublished(issuer, published.kids, by);
    if (context.options.json) await context.printJson({ directory, dryRun, ...published, newlyPublished: marked });
    else await printChanges(context, directory, published, dryRun);
    if (!dryRun) await sayWhatNext(context, directory, marked);
    return exit.fine;
  });
}

/** One directory may be new. More would be a slip of the pen, and the keys in it count as published although nobody shows them. */
async function refuseFarAway({ world, warn }: Context, directory: string): Promise<void> {
  const isThere = async (path: string) => (await world.files.facts(path).catch(() => undefined)) !== undefined;
  if (await isThere(directory)) return;
  const above = dirname(directory);
  if (!(await isThere(above))) {
    throw new Fault('usage', `there is no directory ${above}, and ${directory} is to be made in it`, {
      hint: `name what the web server shows; if it is to be new: install -d ${directory}`,
    });
  }
  await warn(`${directory} is new: see to it that the web server shows it`);
}

async function printChanges(context: Context, directory: string, published: Published, dryRun: boolean): Promise<void> {
  const { changes, kids, kept, dropped } = published;
  const changed = changes.filter(({ what }) => what === 'made' || what === 'changed');
  for (const { path, what } of changed)
    await context.print(`${dryRun ? `would be ${what}` : what}: ${directory}/${path}`);
  if (changed.length === 0) await context.print(`${directory} is as it should be; nothing changed`);
  const others = kept.length === 0 ? '' : `, ${counted(kept.length, 'key')} of others among them`;
  await context.print(`${counted(kids.length, 'key')} in the key set${others}`);
  if (dropped.length > 0)
    await context.print(`${dryRun ? 'would go from it' : 'gone from it'}: ${printable(dropped.join(', '))}`);
}

async function sayWhatNext({ say }: Context, directory: string, marked: readonly string[]): Promise<void> {
  if (marked.length === 0) return;
  await say(`counted as published from now on: ${marked.join(', ')}`);
  await say(`  see to it that ${directory} is what the web server shows (git push, rsync), then: tokeep issuer check`);
}
