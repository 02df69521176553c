import { Fault } from '../fault/fault.ts';
import type { MapRules } from '../verify/map-rules.ts';
import type { MappingSource } from '../verify/mapping.ts';
import type { NameMapfile } from '../verify/name-mapfile.ts';
import type { ScitokensConfig, ScitokensIssuer } from '../verify/scitokens-cfg.ts';
import type { Files } from '../world/files.ts';
import type { World } from '../world/world.ts';
import { namedText } from './named-file.ts';

export interface MapSourceOptions {
  readonly mapfile?: readonly string[];
  readonly rules?: string;
  readonly nameMapfile?: string;
  readonly path?: string;
  readonly basePath?: readonly string[];
  readonly release?: string;
  readonly issuerConfig?: string;
}

/** What is known before: the claims of the token, and the configuration of XRootD if one was named. */
export interface MapSubject {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly config?: ScitokensConfig;
}

export interface FoundSource {
  readonly source: MappingSource;
  /** Sentences about what is doubtful in the files. */
  readonly findings: readonly string[];
}

const largest = 1024 * 1024;
/** A file of somebody's mistakes is not read to its end. */
const mostFindings = 20;

/** Reads what the options name. Throws `usage` for options that do not go together, and `config-invalid`. */
export async function mapSource(world: World, options: MapSourceOptions, subject: MapSubject): Promise<FoundSource> {
  const { mapfile, rules, nameMapfile } = options;
  if (mapfile !== undefined && nameMapfile === undefined) return await fromMapfiles(world, mapfile, rules);
  if (mapfile === undefined && nameMapfile === undefined && rules !== undefined) {
    return { source: { kind: 'rules', rules: await rulesAt(world.files, rules) }, findings: [] };
  }
  if (mapfile !== undefined || rules !== undefined) {
    throw new Fault('usage', '--name-mapfile is of XRootD and does not go with --mapfile or --rules');
  }
  return await fromXrootd(world, options, subject);
}

async function fromMapfiles(world: World, paths: readonly string[], rules: string | undefined): Promise<FoundSource> {
  const { readMapfiles } = await import('../verify/ce-mapfile-files.ts');
  const set = await readMapfiles(world.files, paths);
  const findings = set.findings.map(({ file, line, message }) => `${file}:${line}: ${message}`);
  const more = findings.length - mostFindings;
  return {
    source: { kind: 'mapfile', set, ...(rules === undefined ? {} : { rules: await rulesAt(world.files, rules) }) },
    findings: more > 0 ? [...findings.slice(0, mostFindings), `and ${more} more such lines`] : findings,
  };
}

/** Throws `config-invalid`, and `usage` for a file that cannot be read. */
export async function rulesAt(files: Files, path: string): Promise<MapRules> {
  const { readMapRules } = await import('../verify/map-rules-file.ts');
  const reading = await readMapRules(await namedText(files, path, largest), path);
  if (reading.kind === 'refused') throw new Fault('config-invalid', reading.why);
  return reading.rules;
}

async function fromXrootd(
  world: World,
  options: MapSourceOptions,
  { claims, config }: MapSubject,
): Promise<FoundSource> {
  const section = config?.issuers.find(({ issuer }) => issuer === claims['iss']);
  const file = options.nameMapfile ?? section?.nameMapfile;
  if (section === undefined && options.issuerConfig !== undefined && file === undefined) {
    const sentence = `${options.issuerConfig} has no section for the issuer ${JSON.stringify(claims['iss'])}`;
    throw new Fault('token-refused', sentence);
  }
  if (file === undefined && section === undefined) {
    throw new Fault('usage', 'by what? name it: --mapfile, --name-mapfile, --rules or --issuer-config');
  }
  const basePaths = options.basePath ?? section?.basePaths ?? ['/'];
  const { names, findings } = await namesAt(world.files, options.nameMapfile, section?.nameMapfile);
  const bare =
    file === undefined ? [`[Issuer ${section?.name}] has no name_mapfile, so that there are no rules to look at`] : [];
  return {
    source: {
      kind: 'name-mapfile',
      mapfile: names,
      ...(section === undefined ? {} : { groups: textsOf(claims[section.groupsClaim]) }),
      place: {
        username: section === undefined ? '' : usernameOf(section, claims),
        path: options.path ?? basePaths[0] ?? '/',
        basePaths,
        compares: isBefore(options.release, [5, 9, 3]) ? 'characters' : 'segments',
      },
    },
    findings: [...bare, ...findings],
  };
}

/** For an issuer without a name_mapfile of its own. */
const noRules: NameMapfile = { kind: 'mapfile', file: 'scitokens.cfg', rules: [], findings: [] };

async function namesAt(files: Files, named: string | undefined, configured: string | undefined): Promise<FoundNames> {
  const file = named ?? configured;
  if (file === undefined) return { names: noRules, findings: [] };
  const text = named === undefined ? await configuredText(files, file) : await namedText(files, file, largest);
  const { readNameMapfile } = await import('../verify/name-mapfile.ts');
  const { placeInText } = await import('../verify/text-place.ts');
  const reading = readNameMapfile(text, file);
  if (reading.kind === 'refused') {
    const place = reading.at === undefined ? '' : `${await placeInText(text, file, reading.at)}: `;
    const hint = 'XRootD keeps its old configuration with such a file';
    throw new Fault('config-invalid', `${place}${reading.why}`, { hint });
  }
  const findings: string[] = [];
  for (const { at, message } of reading.findings) findings.push(`${await placeInText(text, file, at)}: ${message}`);
  return { names: reading, findings };
}

interface FoundNames {
  readonly names: NameMapfile;
  readonly findings: readonly string[];
}

/** What XRootD makes of the token before the rules; a claim that could not be an account is not taken. */
function usernameOf(section: ScitokensIssuer, claims: Readonly<Record<string, unknown>>): string {
  const { usernameClaim, mapSubject, defaultUser } = section;
  if (usernameClaim === undefined) return mapSubject ? String(claims['sub']) : (defaultUser ?? '');
  const name = claims[usernameClaim];
  if (typeof name === 'string' && /^[A-Za-z0-9._@][A-Za-z0-9._@-]*$/.test(name)) return name;
  throw new Fault(
    'token-refused',
    `the claim ${usernameClaim} of the token is no user name, and XRootD refuses the token`,
  );
}

const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

function isBefore(release: string | undefined, bound: readonly number[]): boolean {
  if (release === undefined) return false;
  if (!/^v?\d+(\.\d+){1,2}/.test(release)) throw new Fault('usage', `"${release}" is no release such as 5.8.1`);
  const parts = release.replace('v', '').split('.').map(Number.parseFloat);
  const at = bound.findIndex((number, index) => (parts[index] ?? 0) !== number);
  return at >= 0 && (parts[at] ?? 0) < (bound[at] ?? 0);
}

/** Of a file that is named by a file. */
async function configuredText(files: Files, path: string): Promise<string> {
  const text = await files.readText(path, largest).catch((cause: NodeJS.ErrnoException) => {
    throw new Fault('config-invalid', `${path} could not be read (${cause.code ?? 'it is no text'})`, { cause });
  });
  if (text === undefined) throw new Fault('config-invalid', `there is no file ${path}`);
  return text;
}
