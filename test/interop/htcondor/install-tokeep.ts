import { existsSync, readFileSync } from 'node:fs';
import { cp, lstat, mkdir, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { outputOf } from '../run-program.ts';

const checkout = join(import.meta.dirname, '../../..');
/** Inside the root. */
export const tokeepIn = '/usr/lib/tokeep';

/** Programs by the names a package would install them under. */
const programs = {
  '/usr/bin/tokeep': 'tokeep',
  '/usr/sbin/tokeep-credmon': 'tokeep-credmon',
  '/usr/bin/tokeep-map-plugin': 'tokeep-map-plugin',
  '/usr/bin/tokeep-credential-storer': 'tokeep-credential-storer',
  '/usr/bin/scitokens_credential_producer': 'scitokens_credential_producer',
};

/** Copies this checkout into the root, as a package would: the program, what it needs to run, and a Node of its own. */
export async function installTokeep(root: string): Promise<void> {
  const to = join(root, tokeepIn);
  await rm(join(to, 'src'), { recursive: true, force: true });
  await mkdir(join(to, 'node_modules'), { recursive: true });
  for (const part of ['src', 'bin', 'packaging', 'schema', 'package.json'])
    await cp(join(checkout, part), join(to, part), { recursive: true, force: true });
  for (const path of neededToRun()) await copiedOnce(join(checkout, path), join(to, path));
  await outputOf(['chown', '-R', 'root:root', to]);
  for (const [path, program] of Object.entries(programs)) await linked(join(root, path), `${tokeepIn}/bin/${program}`);
}

/** The packages that are no development ones, by the lock file. */
function neededToRun(): readonly string[] {
  const lock = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: true }>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev === undefined && existsSync(join(checkout, path)))
    .map(([path]) => path);
}

/** A root that is kept has most packages already: the same version is not copied again. */
async function copiedOnce(from: string, to: string): Promise<void> {
  const version = (directory: string) =>
    existsSync(join(directory, 'package.json')) ? readFileSync(join(directory, 'package.json'), 'utf8') : undefined;
  if (version(from) === version(to)) return;
  await rm(to, { recursive: true, force: true });
  // Of Node's package, headers and manuals are thousands of files, and only the program is needed.
  const isNode = basename(from).startsWith('node-linux-');
  const filter = (source: string) => !isNode || !['include', 'share'].includes(basename(source));
  await cp(from, to, { recursive: true, filter });
}

async function linked(path: string, target: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) !== undefined) await rm(path);
  await symlink(target, path);
}
