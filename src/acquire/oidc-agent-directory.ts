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
  const config = await world.files.facts(`${home}/.config`);
  return config?.type === 'directory' ? `${home}/.config/oidc-agent` : `${home}/.oidc-agent`;
}
