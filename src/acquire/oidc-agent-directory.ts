import { Fault } from '../fault/fault.ts';
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

/** The file of an account by its short name. Throws Fault `config-missing` without a directory, `usage` for what is no name. */
export async function agentAccountPath(world: World, name: string): Promise<string> {
  if (name === '' || name.startsWith('.') || name.includes('/')) {
    throw new Fault('usage', `"${name}" is no name of an oidc-agent account`, {
      hint: 'oidc-gen --accounts lists them',
    });
  }
  const directory = await agentDirectory(world);
  if (directory === undefined) {
    throw new Fault('config-missing', 'looked for the accounts of oidc-agent: there is no home directory', {
      hint: 'set HOME or OIDC_CONFIG_DIR, or give the path of the account file',
    });
  }
  return `${directory}/${name}`;
}
