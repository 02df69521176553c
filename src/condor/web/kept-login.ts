import { Fault } from '../../fault/fault.ts';
import type { Directory } from '../../world/files.ts';
import { replaceFile } from '../../world/replace-file.ts';
import type { World } from '../../world/world.ts';
import { type CredentialPlace, inDirectory } from './asked.ts';
import type { Exchanged } from './exchange-code.ts';

/** How far a service is, by what stands in the directory. */
export type Progress = 'waiting' | 'logged-in' | 'ready';

/** How far each of these is for a user; one look at the user's directory each. */
export async function progressOf(
  world: World,
  place: CredentialPlace,
  user: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Progress>> {
  const look = async (directory: Directory | undefined, name: string): Promise<Progress> => {
    if ((await directory?.look(`${name}.top`)) === undefined) return 'waiting';
    return (await directory?.look(`${name}.use`)) === undefined ? 'logged-in' : 'ready';
  };
  return await inDirectory(world, place.directory, async (root) => {
    const there = await root.look(user);
    const below = there?.type === 'directory' ? await root.openDirectory(user, 'pass') : undefined;
    try {
      const found = names.map(async (name) => [name, await look(below, name)] as const);
      return new Map(await Promise.all(found));
    } finally {
      await below?.close();
    }
  });
}

export interface LoginToKeep {
  readonly user: string;
  readonly name: string;
  /** As in the request file, to the byte: condor_credd compares them with what the next submit asks for. */
  readonly scopes: string;
  readonly audience: string;
}

/**
 * Writes what a login gave: `<user>/<name>.top`, from which the credmon makes `.use`, as root where condor_shadow takes root's files only.
 * Without a refresh token the access token is all there will be, and is handed on. Of the answer nothing else is kept, since members such as
 * `audience` mean to condor_credd what was asked. Throws Fault `target-failed` or `target-refused`.
 */
export async function keepLogin(
  world: World,
  place: CredentialPlace,
  login: LoginToKeep,
  gained: Exchanged,
): Promise<void> {
  const asked = {
    ...(login.scopes === '' ? {} : { scopes: login.scopes }),
    ...(login.audience === '' ? {} : { audience: login.audience }),
  };
  await inUserDirectory(world, place, login.user, async (directory) => {
    await write(world, directory, `${login.name}.top`, { ...credentialOf(gained), ...asked });
  });
}

function credentialOf({ refreshToken, accessToken, endsAt }: Exchanged): object {
  if (refreshToken !== undefined) return { refresh_token: refreshToken.reveal() };
  return { access_token: accessToken?.reveal(), ...(endsAt === undefined ? {} : { expires_at: endsAt / 1000 }) };
}

const write = (world: World, directory: Directory, name: string, content: object): Promise<void> =>
  replaceFile(directory, name, {
    bytes: Buffer.from(JSON.stringify(content)),
    temporary: `.tokeep-${world.random.id()}`,
    mode: 0o400,
    keeps: 'durable',
  });

/** Made if it is not there, as condor_credd does: 0700, with the group and the set-group-id bit of the directory above. */
async function inUserDirectory(
  world: World,
  place: CredentialPlace,
  user: string,
  work: (directory: Directory) => Promise<void>,
): Promise<void> {
  await inDirectory(world, place.directory, async (root) => {
    await root.makeDirectory(user, 0o700).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'EEXIST') throw thrown;
    });
    const facts = await root.look(user);
    if (facts?.type !== 'directory') {
      throw new Fault('target-refused', `${place.directory}/${user} is no directory; nothing is written through it`);
    }
    const directory = await root.openDirectory(user, 'list');
    try {
      await work(directory);
    } finally {
      await directory.close();
    }
  });
}
