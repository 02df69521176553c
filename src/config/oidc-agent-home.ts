import type { World } from '../world/world.ts';

/** The home that OSG's package gives its service user. */
const osgHome = '/var/spool/osg-token-svc';

/**
 * The account file of oidc-agent with this short name: where oidc-agent itself looks (`OIDC_CONFIG_DIR`, then
 * `~/.config/oidc-agent`, then `~/.oidc-agent`), then where OSG's service has it. The first place where there is such a file;
 * where there is none, the place where oidc-agent would make it, for root that of OSG's service.
 */
export async function oidcAgentFile(world: World, shortname: string): Promise<string> {
  const own = world.env['OIDC_CONFIG_DIR'];
  if (own !== undefined && own !== '') return `${own.replace(/\/+$/, '')}/${shortname}`;
  const home = world.env['HOME'];
  const homes = home === undefined || home === '' ? [] : [`${home}/.config/oidc-agent`, `${home}/.oidc-agent`];
  const places = [...homes, `${osgHome}/.oidc-agent`];
  for (const place of places) if (await exists(world, `${place}/${shortname}`)) return `${place}/${shortname}`;
  const service = home === undefined || home === osgHome || world.user.uid === 0;
  return `${service ? `${osgHome}/.oidc-agent` : `${home}/.oidc-agent`}/${shortname}`;
}

async function exists(world: World, path: string): Promise<boolean> {
  try {
    return (await world.files.facts(path)) !== undefined;
  } catch {
    // A directory that we may not enter; the file may be there, but it is not ours to take.
    return false;
  }
}
