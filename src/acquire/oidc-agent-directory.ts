import type { World } from '../world/world.ts';

/**
 * Where oidc-agent keeps its accounts and settings: `OIDC_CONFIG_DIR`, else `~/.config/oidc-agent` if there is a `~/.config`,
 * else `~/.oidc-agent`. Undefined without a home directory.
 */
export async function agentDirectory(world: World): Promise<string | undefined> {
  const named = world.env['OIDC_CONFIG_DIR'];
  if (named !== undefined && named !== '') return named.replace(/(?<=.)\/+$/, '');
  const home = world.env['HOME'];
  if (home === undefined || home === '') return undefined;
  // A home that we may not enter, such as root's kept in the environment of a service user, has nothing for us.
  const config = await world.files.facts(`${home}/.config`).catch(() => undefined);
  return config?.type === 'directory' ? `${home}/.config/oidc-agent` : `${home}/.oidc-agent`;
}
