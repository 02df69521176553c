import { basename, dirname, resolve } from 'node:path';
import { readSecret } from '../config/secret-source.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { errnoWords } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import { counted, timestamp } from '../observe/printable.ts';
import { leastPassphrase } from '../store/seal-key.ts';
import { rotateSealingKey } from '../store/seal-rotation.ts';
import { restoreBackup, sealedBackup } from '../store/sealed-backup.ts';
import { Secret } from '../token/secret.ts';
import { createFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { asStateOwner } from './as-state-owner.ts';
import type { Context } from './context.ts';
import { nodeName } from './node-name.ts';
import { sealPassphrase, spoolPlaces, storeChoice } from './open-state.ts';
import { promptsFor } from './prompts.ts';
import { openSealedIssuers } from './sealed-issuers.ts';
import { sealKeyFile } from './state-place.ts';

const largestBackup = 64 * 1024 * 1024;

export async function rotateSeal(context: Context): Promise<ExitCode> {
  const { world } = context;
  const config = await context.config();
  const stateDir = await context.stateDir();
  await asStateOwner(world, stateDir);
  const keyFile = sealKeyFile(world.env, world.user.uid, stateDir);
  await using issuers = new AsyncDisposableStack();
  const { alsoResealed, ...report } = await rotateSealingKey(world, {
    stateDir,
    choice: await storeChoice(world, config),
    node: nodeName(world.env),
    keyFile,
    ...(await sealPassphrase(world, config)),
    spool: Object.values(spoolPlaces(config, stateDir)),
    also: await openSealedIssuers(world, { config, stateDir, keyFile }, issuers),
  });
  if (context.options.json) await context.printJson({ ...report, issuers: alsoResealed.length });
  else {
    const others = alsoResealed.length === 0 ? '' : ` and ${counted(alsoResealed.length, 'issuer')}`;
    const what = `${counted(report.resealed, 'record')}${others}`;
    await context.print(`sealed ${what} anew; the key is ${report.to} now, was ${report.from}`);
    if (others !== '') await context.say('restart what signs with these issuers: it holds keys in memory');
  }
  return exit.fine;
}

export async function writeBackup(context: Context, file: string, from: string | undefined): Promise<ExitCode> {
  const store = await context.store();
  const passphrase = await newPassphrase(context, from);
  await writeNew(context.world, resolve(file), await sealedBackup(context.world, store, passphrase));
  await context.say(
    `wrote ${counted((await store.accounts()).length, 'account')} to ${file}; without the passphrase it is lost`,
  );
  return exit.fine;
}

export async function restoreFrom(context: Context, file: string, from: string | undefined): Promise<ExitCode> {
  const { world } = context;
  const text = await readBackup(world, file);
  const store = await context.store();
  const { madeAt, restored, kept } = await restoreBackup(world, store, text, await passphraseOf(context, from));
  for (const name of restored) await context.print(`${name}: restored as of ${timestamp(madeAt)}`);
  for (const name of kept) await context.print(`${name}: left as it is, the state is as new or newer`);
  if (restored.length > 0) await context.say('next: tokeep renew   # shows which logins still work');
  return exit.fine;
}

async function passphraseOf(context: Context, file: string | undefined): Promise<Secret<'password'>> {
  if (file !== undefined) return await readSecret(context.world, { kind: 'file', path: resolve(file) }, 'password');
  const prompts = await promptsFor(context.io, 'seal backup');
  return new Secret(
    'password',
    await prompts.secret({ message: 'passphrase of the backup', flag: '--passphrase-file' }),
  );
}

/** Twice, since what is mistyped here shows only when the backup is needed. */
async function newPassphrase(context: Context, file: string | undefined): Promise<Secret<'password'>> {
  const first = await passphraseOf(context, file);
  if (file === undefined && !first.equals(await passphraseOf(context, file))) {
    throw new Fault('usage', 'the two passphrases differ; nothing was written');
  }
  if (first.reveal().length < leastPassphrase) {
    throw new Fault('usage', `a passphrase of less than ${leastPassphrase} characters keeps nobody out`);
  }
  return first;
}

async function readBackup(world: World, file: string): Promise<string> {
  const text = await world.files.readText(file, largestBackup).catch((thrown: unknown) => {
    throw new Fault('usage', `the backup ${file} could not be read: ${errnoWords(thrown)}`);
  });
  if (text === undefined) throw new Fault('usage', `there is no backup ${file}`);
  return text;
}

/** Never over something that is there, for its owner only, and on disk when it returns. */
async function writeNew(world: World, path: string, text: string): Promise<void> {
  try {
    const directory = await world.files.openDirectory(dirname(path));
    try {
      await createFile(directory, basename(path), Buffer.from(text));
    } finally {
      await directory.close();
    }
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new Fault('usage', `${path} exists already, and a backup is not written over anything`);
    }
    throw new Fault('state-write-failed', `the backup ${path} could not be written: ${errnoWords(thrown)}`);
  }
}
