import { join } from 'node:path/posix';
import type { World } from '../world/world.ts';

/** The home that OSG's package gives its service user. */
const osgHome = '/var/spool/osg-token-svc';

/**
 * Where oidc-agent keeps its accounts and settings: `OIDC_CONFIG_DIR`, else `~/.config/oidc-agent` if there is a `~/.config`,
 * else `~/.oidc-agent`. Undefined without a home directory.
 */
export async function agentDirectory(world: World): Promise<string | undefined> {
  const own = named(world.env['OIDC_CONFIG_DIR']);
  if (own !== undefined) return own.replace(/(?<=.)\/+$/, '');
  const [inConfig, inHome] = homeDirectories(world);
  const config = inConfig === undefined ? undefined : await factsOf(world, join(inConfig, '..'));
  return config?.type === 'directory' ? inConfig : inHome;
}

/**
 * The account file of oidc-agent with this short name: in `OIDC_CONFIG_DIR` if that is set; else where there is such a file, in
 * one of oidc-agent's own places ({@link agentDirectory}) or in that of OSG's service; else where oidc-agent would make it, for
 * root and the service user in OSG's place.
 */
export async function oidcAgentFile(world: World, shortname: string): Promise<string> {
  const own = await agentDirectory(world);
  if (own !== undefined && named(world.env['OIDC_CONFIG_DIR']) !== undefined) return join(own, shortname);
  const ofService = `${osgHome}/.oidc-agent`;
  for (const place of [...homeDirectories(world), ofService]) {
    if ((await factsOf(world, join(place, shortname))) !== undefined) return join(place, shortname);
  }
  const isService = world.env['HOME'] === osgHome || world.user.uid === 0;
  return join(isService ? ofService : (own ?? ofService), shortname);
}

/** In the order in which oidc-agent looks. */
function homeDirectories(world: World): readonly string[] {
  const home = named(world.env['HOME']);
  return home === undefined ? [] : [`${home}/.config/oidc-agent`, `${home}/.oidc-agent`];
}

/** An empty variable is none. */
const named = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

/** Where we may not enter, such as in root's home kept in the environment of a service user, nothing is ours to take. */
const factsOf = (world: World, path: string) => world.files.facts(path).catch(() => undefined);
