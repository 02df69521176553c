import { Fault } from '../fault/fault.ts';
import type { World } from '../world/world.ts';
import type { Config } from './config.ts';
import { emptyConfig } from './empty-config.ts';
import { Findings } from './finding.ts';

export { formatFinding } from './finding.ts';

export interface ConfigPlace {
  readonly path: string;
  readonly format: Config['format'];
}

const osgVariable = 'OSG_TOKEN_RENEWER_CONFIG_PATH';
const osgDefault = '/etc/osg/token-renewer/config.ini';
const maxBytes = 32 * 1024 * 1024;

/** Where OSG's renewer has its configuration: what its own variable names, else its usual place. */
export function osgPlace({ env }: Pick<World, 'env'>): string {
  return env[osgVariable] || osgDefault;
}

/**
 * Where the configuration is: `--config`, `TOKEEP_CONFIG`, tokeep's own place, then OSG's. A place that was named must be
 * there; of the others the first that exists counts. Throws `config-missing` with every place looked at.
 */
export async function findConfig(world: World, options: { readonly config?: string } = {}): Promise<ConfigPlace> {
  const named = options.config ?? world.env['TOKEEP_CONFIG'];
  if (named !== undefined && named !== '') {
    if (await exists(world, named)) return placeOf(world, named);
    const how = options.config === undefined ? 'which TOKEEP_CONFIG names' : whoNamed(world, named);
    throw new Fault('config-missing', `there is no configuration at ${named}, ${how}`);
  }
  const looked = [ownPlace(world), osgPlace(world)];
  for (const place of looked) if (await exists(world, place)) return placeOf(world, place);
  throw new Fault('config-missing', `there is no configuration; looked for ${looked.join(', ')}`, {
    hint: 'make one with `tokeep setup NAME`, or name it with --config FILE',
  });
}

/** The old command goes to OSG's place without anybody having said `--config`. */
function whoNamed({ env }: World, path: string): string {
  if (path === env[osgVariable]) return `which ${osgVariable} names`;
  return path === osgDefault ? "where OSG's token renewer has it" : 'which --config names';
}

/** What ends in `.ini` is OSG's, as is what OSG's own variable names. */
function placeOf({ env }: World, path: string): ConfigPlace {
  const isOsg = path.endsWith('.ini') || path === env[osgVariable];
  return { path, format: isOsg ? 'ini' : 'yaml' };
}

/** Where a new configuration belongs: the system's, or that of the user. */
export function ownPlace(world: World): string {
  if (world.user.uid === 0) return '/etc/tokeep/config.yaml';
  const home = world.env['XDG_CONFIG_HOME'];
  return `${home?.startsWith('/') ? home : `${world.env['HOME'] ?? ''}/.config`}/tokeep/config.yaml`;
}

async function exists(world: World, path: string): Promise<boolean> {
  try {
    return (await world.files.facts(path)) !== undefined;
  } catch {
    // It is there in some way, and `loadConfig` will say what is wrong with it.
    return true;
  }
}

/** Reads a configuration. Never throws for what the file holds: all that is wrong with it is in `findings`. */
export async function loadConfig(world: World, path: string): Promise<Config> {
  const { format } = placeOf(world, path);
  const findings = new Findings();
  const text = await textOf(world, path, findings);
  if (text === undefined) return emptyConfig(format, path, findings);
  await warnOfWritable(world, path, findings);
  // Loaded when needed: an ini has no use for the YAML parser and the schema, which take longer to start than the rest.
  if (format === 'ini') return (await import('./osg-ini.ts')).readOsgIni(world, path, text, findings);
  return (await import('./yaml.ts')).readYaml(world, path, text, findings);
}

async function textOf(world: World, path: string, findings: Findings): Promise<string | undefined> {
  const start = { file: path, line: 1, column: 1 };
  try {
    const text = await world.files.readText(path, maxBytes);
    if (text === undefined) findings.error(start, 'there is no such file', { code: 'config-missing' });
    return text;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const why = code === 'EISDIR' ? 'it is a directory' : (code ?? 'for an unknown reason');
    findings.error(start, `the file could not be read (${why})`);
    return undefined;
  }
}

/** Who can write the configuration can have any command run, and tokens sent anywhere. */
async function warnOfWritable(world: World, path: string, findings: Findings): Promise<void> {
  const facts = await world.files.facts(path).catch(() => undefined);
  if (facts !== undefined && (facts.mode & 0o002) !== 0) {
    findings.warning({ file: path, line: 1, column: 1 }, `everybody can write this file; chmod o-w ${path}`);
  }
}
