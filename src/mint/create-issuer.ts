import { unfitIssuer } from '../config/safe-url.ts';
import { errnoHint, errnoWords } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import { createFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { addKey } from './add-key.ts';
import type { IssuerDeps, OpenIssuer } from './issuer.ts';
import { prepareNewIssuerDir } from './issuer-directory.ts';
import { makeKeyPair } from './key-pair.ts';
import { LiveIssuer } from './live-issuer.ts';
import { openIssuerDatabase } from './open-issuer.ts';
import { defaultRotation, refuseUnreadable, settingsFile } from './settings.ts';
import { type NewSettings, settingsText } from './settings-text.ts';
import type { SigningAlgorithm } from './signing-key.ts';

export interface NewIssuer extends NewSettings {
  /** Of the first key, or `none` where keys are to be imported. It signs at once: there is no verifier yet that could not know it. */
  readonly algorithm: SigningAlgorithm | 'none';
  /** Comments to begin issuer.yaml with, in place of the usual ones. */
  readonly head?: readonly string[];
  /** For the audit log. */
  readonly by: string;
}

/**
 * Makes an issuer in this directory: database, first key, and last of all issuer.yaml. What was broken off goes on where it was when it
 * is called again. Throws Fault `issuer-exists`, `usage` for a URL that cannot be an issuer's, and what opening throws.
 */
export async function createIssuer(
  world: World,
  directory: string,
  wanted: NewIssuer,
  deps: IssuerDeps,
): Promise<OpenIssuer> {
  const unfit = unfitIssuer(wanted.url);
  if (unfit !== undefined) throw new Fault('usage', `the issuer URL ${wanted.url} ${unfit}`);
  refuseUnreadable(settingsText(wanted));
  await prepareNewIssuerDir(world, directory);
  if ((await world.files.look(settingsFile(directory))) !== undefined) throw alreadyThere(directory);
  const settings = { audit: { subjects: 'plain' } as const, rotation: defaultRotation, ...wanted };
  const database = await openIssuerDatabase(world, directory, settings, 'new');
  try {
    const issuer = await LiveIssuer.open({ world, directory, deps, settings, database });
    if (wanted.algorithm !== 'none') await makeFirstKey(world, issuer, wanted.algorithm, wanted.by);
    await writeSettings(world, directory, wanted);
    return issuer;
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

async function makeFirstKey(world: World, issuer: OpenIssuer, algorithm: SigningAlgorithm, by: string): Promise<void> {
  if ((await issuer.keys()).some(({ state }) => state === 'signing')) return;
  await addKey(issuer, {
    pair: await makeKeyPair(algorithm),
    origin: 'made',
    state: 'signing',
    home: issuer.settings.keys,
    now: world.clock.now(),
    published: false,
    by,
  });
}

const alreadyThere = (directory: string): Fault =>
  new Fault('issuer-exists', `there is an issuer in ${directory} already`, {
    hint: `its settings are in ${settingsFile(directory)}; name another directory with --dir DIR`,
  });

async function writeSettings(world: World, directory: string, wanted: NewIssuer): Promise<void> {
  try {
    const files = await world.files.openDirectory(directory);
    try {
      await createFile(files, 'issuer.yaml', Buffer.from(settingsText(wanted, wanted.head)));
    } finally {
      await files.close();
    }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw alreadyThere(directory);
    throw new Fault('state-write-failed', `${settingsFile(directory)} could not be written: ${errnoWords(thrown)}`, {
      hint: errnoHint(thrown, directory),
      cause: thrown,
    });
  }
}
