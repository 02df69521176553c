import type { UseTarget } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { TokenFacts } from '../store/records.ts';
import { decodeJwt } from '../token/jwt.ts';
import type { AccessToken } from '../token/secret.ts';
import { type Epoch, epochFromSeconds } from '../token/time.ts';
import type { Directory } from '../world/files.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { checkTokenFile } from './delivered-file.ts';
import type { Deliverer } from './deliverer.ts';
import { fileFault } from './file-fault.ts';
import { temporaryName } from './leftovers.ts';
import { refuseStrange, type TokenDeed } from './present-file.ts';

/**
 * A token for a user's jobs in HTCondor's credential directory. It is ours, so root's where the credmon is root, as the shadow wants it
 * without TRUST_CREDENTIAL_DIRECTORY. The directory of a user who was swept is not made anew.
 */
export const useDeliverer: Deliverer<UseTarget> = {
  kind: 'use',
  async deliver(target, token, world, facts) {
    const bytes = Buffer.from(contentOf(target, token, world.clock.now(), facts));
    const isThere = await inUserDirectory('written', world, target, async (directory, name) => {
      await replaceFile(directory, name, {
        bytes,
        temporary: temporaryName(name, world.random.id()),
        mode: target.mode,
        keeps: 'durable',
      });
    });
    if (!isThere) throw gone(target);
  },
  async check(target, delivered, world) {
    return await checkTokenFile(world, pathOf(target), delivered, target.form === 'json' ? tokenInJson : undefined);
  },
  async withdraw(target, world) {
    await inUserDirectory('removed', world, target, async (directory, name) => {
      await directory.remove(name);
      await directory.sync();
    });
  },
};

const pathOf = ({ directory, user, name }: UseTarget): string => `${directory}/${user}/${name}.use`;

/** As the shipped credmons write it; `expires_in` counts from now, which is when they look at the file's age. */
function contentOf({ form }: UseTarget, token: AccessToken, now: Epoch, facts: TokenFacts | undefined): string {
  if (form === 'text') return `${token.reveal()}\n`;
  const expiresAt = facts?.expiresAt ?? expiryIn(token);
  const life =
    expiresAt === undefined
      ? {}
      : { expires_in: Math.max(0, Math.floor((expiresAt - now) / 1000)), expires_at: Math.floor(expiresAt / 1000) };
  const scope = facts === undefined || facts.scope.length === 0 ? {} : { scope: facts.scope.join(' ') };
  return JSON.stringify({ access_token: token.reveal(), token_type: 'bearer', ...life, ...scope });
}

function expiryIn(token: AccessToken): Epoch | undefined {
  const jwt = decodeJwt(token.reveal());
  const exp = jwt.kind === 'jwt' ? jwt.claims['exp'] : undefined;
  return typeof exp === 'number' ? epochFromSeconds(exp) : undefined;
}

function tokenInJson(content: Buffer): string {
  try {
    const { access_token } = JSON.parse(content.toString('utf8')) as { readonly access_token?: unknown };
    return typeof access_token === 'string' ? access_token : '';
  } catch {
    return '';
  }
}

/**
 * Held by descriptors from the credential directory on, which HTCondor's configuration names and the credmon has checked. False when the
 * user's directory is gone.
 */
async function inUserDirectory(
  deed: TokenDeed,
  world: World,
  target: UseTarget,
  work: (directory: Directory, name: string) => Promise<void>,
): Promise<boolean> {
  const path = pathOf(target);
  const held: Directory[] = [];
  try {
    const root = await world.files.openDirectory(target.directory, 'pass');
    held.push(root);
    const directory = await root.openDirectory(target.user, 'list');
    held.push(directory);
    const name = `${target.name}.use`;
    const present = await directory.look(name);
    // The web login writes the first one as the owner of the directory, which is condor.
    if (present !== undefined) {
      refuseStrange(deed, path, present, [world.user.uid, 0, (await directory.facts()).owner]);
    }
    if (present !== undefined || deed === 'written') await work(directory, name);
    return true;
  } catch (thrown) {
    if (await isGone(held, target, thrown)) return false;
    throw fileFault(thrown, `token not ${deed} ${deed === 'written' ? 'to' : 'from'} ${path}`);
  } finally {
    for (const directory of held.reverse()) await directory.close();
  }
}

/** In a directory that was removed while it is held, nothing can be made any more: ENOENT as well. */
async function isGone([root]: readonly Directory[], { user }: UseTarget, thrown: unknown): Promise<boolean> {
  if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') return false;
  return root !== undefined && (await root.look(user).catch(() => undefined)) === undefined;
}

const gone = (target: UseTarget): Fault =>
  new Fault('target-failed', `token not written to ${pathOf(target)}: the directory of user ${target.user} is gone`, {
    hint: 'HTCondor sweeps the directory of a user who has no jobs any more; the next submit makes it anew',
  });
