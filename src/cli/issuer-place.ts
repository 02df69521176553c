import { dirname, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { IssuerDeps, OpenIssuer } from '../mint/issuer.ts';
import { openIssuer } from '../mint/open-issuer.ts';
import { settingsFile } from '../mint/settings.ts';
import { openSealer, readCredential, readKeyFile } from '../store/seal-key.ts';
import type { World } from '../world/world.ts';
import { asStateOwner } from './as-state-owner.ts';
import type { Context } from './context.ts';
import { nodeName } from './node-name.ts';
import { noteIssuer } from './noted-issuers.ts';
import { sealPassphrase } from './open-state.ts';
import { credmonState, sealKeyFile, usualStateDir } from './state-place.ts';

export interface IssuerPlace {
  readonly directory: string;
  readonly deps: IssuerDeps;
}

/** Where the issuer lives: `--dir`, else `issuers/default` of the state directory. */
export async function issuerDir(context: Context, dir: string | undefined): Promise<string> {
  return directoryIn(await stateDirectory(context, await configIfAny(context)), dir);
}

function directoryIn(stateDir: string, dir: string | undefined): string {
  if (dir === '') throw new Fault('usage', '--dir names no directory: it is empty');
  return resolve(dir ?? `${stateDir}/issuers/default`);
}

/**
 * The issuer's directory, and what opens it. Root goes on as the owner of the directory, for good: what needs the rights of root is
 * to be read before. No configuration is needed; one that is there says where state is and what seals it.
 */
export async function issuerPlace(context: Context, dir: string | undefined): Promise<IssuerPlace> {
  const { world } = context;
  const config = await configIfAny(context);
  if (config === undefined) await warnOfMissing(context);
  const stateDir = await stateDirectory(context, config);
  const directory = directoryIn(stateDir, dir);
  const { uid } = world.user;
  await asStateOwner(world, await nearestThere(world, directory));
  // Somebody else's issuer beside our state is sealed with the key of whoever it belongs to.
  const isOurs = world.user.uid === uid || directory.startsWith(`${stateDir}/`);
  const others = isOurs ? stateDir : (config?.stateDir ?? usualStateDir(world.env, world.user.uid));
  const sealedFor = directory.startsWith(`${credmonState}/`) ? credmonState : others;
  const keyFile = sealKeyFile(world.env, world.user.uid, sealedFor);
  const isInState = dirname(directory) === resolve(sealedFor, 'issuers');
  const sealer = async (sealedWith?: string) => {
    if (sealedWith !== undefined) await demandKey(world, { directory, keyFile, sealedWith });
    if (!isInState) await noteOrWarn(context, keyFile, directory);
    return await openSealer(world, { keyFile, ...(config === undefined ? {} : await sealPassphrase(world, config)) });
  };
  return { directory, deps: { sealer, chain: nodeName(world.env) } };
}

/** A key that is made now would open nothing of this issuer, and stay behind as one that somebody may take for the right one. */
async function demandKey(
  world: World,
  { directory, keyFile, sealedWith }: { directory: string; keyFile: string; sealedWith: string },
): Promise<void> {
  if ((await readCredential(world)) !== undefined || (await readKeyFile(world, keyFile)) !== undefined) return;
  const what = `the keys of the issuer in ${directory} are sealed with key ${sealedWith}, and there is no sealing key at ${keyFile}`;
  throw new Fault('seal-wrong-key', what, {
    hint: 'run tokeep as the user, and with the HOME, that it was set up with; or bring that key back from a backup',
  });
}

/** For `tokeep seal rotate`. Where it cannot be noted an issuer that signs already goes on; a new one is not begun. */
async function noteOrWarn({ world, warn }: Context, keyFile: string, directory: string): Promise<void> {
  try {
    await noteIssuer(world, keyFile, directory);
  } catch (thrown) {
    const isNew = (await world.files.look(settingsFile(directory))) === undefined;
    if (isNew || !(thrown instanceof Fault)) throw thrown;
    await warn(`tokeep: ${thrown.message}${thrown.hint === undefined ? '' : `\n  ${thrown.hint}`}`);
  }
}

/** Opens the issuer for a piece of work, and closes it. Throws what opening throws, `issuer-missing` first of all. */
export async function withIssuer<T>(
  context: Context,
  dir: string | undefined,
  work: (issuer: OpenIssuer) => Promise<T>,
): Promise<T> {
  const { directory, deps } = await issuerPlace(context, dir);
  const issuer = await openIssuer(context.world, directory, deps);
  await warnOfWritable(context, settingsFile(directory));
  try {
    return await work(issuer);
  } finally {
    await issuer.close();
  }
}

/** The directory keeps others out; a file that was meant for them would be theirs as soon as that is opened. */
async function warnOfWritable({ world, warn }: Context, file: string): Promise<void> {
  const mode = (await world.files.facts(file).catch(() => undefined))?.mode ?? 0;
  if ((mode & 0o022) === 0) return;
  await warn(`others may write ${file} (mode 0${mode.toString(8)}), which says what may be signed: chmod 0600 ${file}`);
}

/** For the audit log: who is at the keyboard, as far as the environment tells. */
export function whoAsks({ env, user }: World): string {
  const name = [env['SUDO_USER'], env['LOGNAME'], env['USER']].find((one) => one !== undefined && one !== '');
  return name ?? `uid ${user.uid}`;
}

/** A machine that only signs needs none, and an issuer is made before there is one: what was named may be written yet. */
async function configIfAny(context: Context): Promise<Config | undefined> {
  try {
    return await context.config();
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'config-missing') return undefined;
    throw thrown;
  }
}

async function warnOfMissing({ options, world, warn }: Context): Promise<void> {
  const [named, how] =
    options.config === undefined ? [world.env['TOKEEP_CONFIG'] ?? '', 'TOKEEP_CONFIG'] : [options.config, '--config'];
  if (named === '') return;
  await warn(
    `there is no ${named} yet, which ${how} names: what it may say of state and sealing key does not count here`,
  );
}

async function stateDirectory(context: Context, config: Config | undefined): Promise<string> {
  if (config !== undefined) return await context.stateDir();
  const { options, world } = context;
  if (options.state === '') throw new Fault('usage', '--state names no directory: it is empty');
  return resolve(options.state ?? usualStateDir(world.env, world.user.uid));
}

async function nearestThere(world: World, directory: string): Promise<string> {
  const facts = await world.files.look(directory).catch(() => undefined);
  return facts !== undefined || dirname(directory) === directory
    ? directory
    : await nearestThere(world, dirname(directory));
}
