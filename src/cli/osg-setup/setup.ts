import { readFile } from 'node:fs/promises';
import { readSecret } from '../../config/secret-source.ts';
import { Fault } from '../../fault/fault.ts';
import { Secret } from '../../token/secret.ts';
import type { World } from '../../world/world.ts';
import { endWith } from '../ending.ts';
import type { CliIo } from '../io.ts';
import { linePrompts } from '../line-prompts.ts';
import { openContext } from '../open-context.ts';
import { becomeUser, findUser } from '../service-user.ts';
import { type OsgSetupOptions, parseArguments, usage } from './arguments.ts';
import { setUpClientCredentials } from './client-credentials.ts';
import { setUpOidc } from './oidc.ts';

const serviceUser = 'osg-token-svc';
const plain = { json: false, quiet: false, verbose: false, color: true };

/**
 * The old `osg-token-renewer-setup`: same flags, same questions in the same order, exit 0 or 1. Works as root or as the
 * service's user; root opens the password and then becomes that user for good.
 */
export async function osgSetup(args: readonly string[], io: CliIo): Promise<0 | 1> {
  if (args.includes('--help') || args.includes('-h')) {
    await io.stdout.write(usage);
    return 0;
  }
  const options = parseArguments(args);
  if (options === undefined) {
    await io.stderr.write(usage);
    return 1;
  }
  const first = openContext(io, plain);
  try {
    demandUser(first.world);
    const prompts = linePrompts(io);
    using _input = prompts;
    if (options.mode === 'client-credentials') {
      await setUpClientCredentials(first, prompts, options);
      return 0;
    }
    const password = await readPassword(first.world, options);
    await dropRoot(first.world);
    const context = openContext(io, plain);
    try {
      await setUpOidc({ context, prompts, options }, password);
    } finally {
      await context.close();
    }
    return 0;
  } catch (thrown) {
    await endWith(thrown, io.stderr, { verbose: false }, 'osg-token-renewer-setup');
    return 1;
  } finally {
    await first.close();
  }
}

const isServiceUser = (world: World): boolean => world.env['USER'] === serviceUser;

function demandUser(world: World): void {
  if (world.user.uid === 0 || isServiceUser(world)) return;
  throw new Fault('usage', `this is to be run as root or as ${serviceUser}`);
}

async function readPassword(world: World, options: OsgSetupOptions): Promise<Secret<'password'>> {
  if (options.pwFd !== undefined) {
    const text = await readFile(`/dev/fd/${options.pwFd}`, 'utf8').catch(() => '');
    const [line = ''] = text.split('\n', 1);
    if (line === '') throw new Fault('secret-unreadable', `there is no password on descriptor ${options.pwFd}`);
    return new Secret('password', line);
  }
  if ((await world.files.facts(options.pwFile)) === undefined) {
    throw new Fault('secret-unreadable', `please create ${options.pwFile} with encryption password`);
  }
  return await readSecret(world, { kind: 'file', path: options.pwFile }, 'password');
}

async function dropRoot(world: World): Promise<void> {
  if (world.user.uid !== 0 || isServiceUser(world)) return;
  const user = await findUser(world, serviceUser);
  if (user === undefined) throw new Fault('usage', `there is no user ${serviceUser} on this machine`);
  becomeUser(user);
}
