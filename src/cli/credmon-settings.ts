import { hostname } from 'node:os';
import { type Knobs, readKnobs } from '../condor/knobs.ts';
import { poolOf } from '../condor/pool.ts';
import { settingsOf } from '../condor/read-settings.ts';
import type { CredmonSettings } from '../condor/settings.ts';
import type { Config } from '../config/config.ts';
import { emptyConfig } from '../config/empty-config.ts';
import { Findings, formatFinding } from '../config/finding.ts';
import { loadConfig } from '../config/load.ts';
import { Fault } from '../fault/fault.ts';
import type { World } from '../world/world.ts';
import type { GlobalOptions } from './context.ts';
import { vitalError } from './usable-config.ts';

export interface CredmonPlaces {
  readonly condorBin?: string;
  /** `-c`: instead of SEC_CREDENTIAL_DIRECTORY_OAUTH. */
  readonly credDir?: string;
}

export interface ReadSettings {
  readonly settings: CredmonSettings;
  readonly knobs: Knobs;
}

/** HTCondor's configuration, and the options that are stronger. */
export async function readCredmonSettings(
  world: World,
  { condorBin, credDir }: CredmonPlaces,
  { state, config }: Pick<GlobalOptions, 'state' | 'config'>,
): Promise<ReadSettings> {
  const knobs = await readKnobs(world, condorBin);
  const settings = {
    ...settingsOf(knobs, await poolOf(world, knobs, hostname())),
    ...(credDir === undefined ? {} : { directory: credDir }),
    ...(state === undefined ? {} : { state }),
    ...(config === undefined ? {} : { config }),
  };
  return { settings, knobs };
}

/** Reads the settings again when a file that they came from, or a key that they name, is another one by now. */
export async function rereader(
  world: World,
  first: ReadSettings,
  read: () => Promise<ReadSettings>,
): Promise<() => Promise<CredmonSettings | undefined>> {
  let seen = await marksOf(world, filesOf(first));
  return async () => {
    const now = await marksOf(world, seen.files);
    if (now.text === seen.text) return undefined;
    const again = await read();
    const files = filesOf(again);
    // What was changed while it was read has to be seen at the next look; of a file that is new to us the mark is from now.
    const fresh = await marksOf(world, files);
    seen = sameFiles(files, now.files) ? now : fresh;
    return again.settings;
  };
}

const sameFiles = (a: readonly string[], b: readonly string[]): boolean => a.join('\n') === b.join('\n');

/** The keys of local issuers count: services find the new public half at once, so that the old private one must not go on to sign. */
const filesOf = ({ settings, knobs }: ReadSettings): readonly string[] => [
  ...knobs.files,
  ...(settings.config === undefined ? [] : [settings.config]),
  ...settings.localProviders.flatMap((name) => {
    const local = settings.local(name);
    return local === undefined ? [] : [local.privateKey, local.publicKey];
  }),
];

async function marksOf(world: World, files: readonly string[]) {
  const marks = await Promise.all(
    files.map(async (file) => {
      const facts = await world.files.facts(file).catch(() => undefined);
      return facts === undefined ? [] : [facts.inode, facts.device, facts.size, facts.modifiedAt, facts.changedAt];
    }),
  );
  return { files, text: marks.map((mark) => mark.join(' ')).join('\n') };
}

/**
 * What of TOKEEP_CREDMON_CONFIG holds for the credmon: anything but accounts and tokens, which are those of the directory, and the store. An error in it
 * is a condition, and stops no renewal; throws `config-invalid` for one that leaves the place of the state in doubt.
 */
export async function credmonBase(
  world: World,
  { config, directory }: CredmonSettings,
  namedBy: ConfigNamer,
): Promise<Config> {
  if (config === undefined) return emptyConfig('yaml', directory, new Findings());
  const read = await loadConfig(world, config);
  const unread = read.findings.find(({ severity, section }) => severity === 'error' && section === undefined);
  const fatal = unread ?? vitalError(read);
  if (fatal !== undefined) {
    const sentence = `${namedBy} names a file that cannot be worked with: ${formatFinding(fatal)}`;
    throw new Fault('config-invalid', sentence, { hint: `see: tokeep config check --config ${config}` });
  }
  const findings = read.findings.filter(({ section }) => !/^(accounts|tokens)\./.test(section ?? ''));
  // A process with root's rights opens no connection to a database, and the credential directory is one machine's alone.
  return { ...read, store: { kind: 'sqlite' }, findings, accounts: new Map(), wishes: new Map() };
}

type ConfigNamer = '--config' | 'TOKEEP_CREDMON_CONFIG';

/** Who names the configuration beside HTCondor's: the option is stronger. */
export const configNamer = ({ config }: Pick<GlobalOptions, 'config'>): ConfigNamer =>
  config === undefined ? 'TOKEEP_CREDMON_CONFIG' : '--config';

/** What was opened at the start by TOKEEP_CREDMON_CONFIG stays as it is until the next one. */
export async function credmonBaseAnew(
  world: World,
  running: Config,
  settings: CredmonSettings,
  namedBy: ConfigNamer,
): Promise<Config> {
  const base = await credmonBase(world, settings, namedBy);
  const changed = Object.entries(openedOnce(base)).flatMap(([name, value]) =>
    JSON.stringify(value) === JSON.stringify(openedOnce(running)[name]) ? [] : [name],
  );
  if (changed.length === 0) return base;
  const sentence = `what the file of ${namedBy} says about ${changed.join(', ')} is another one by now; that takes a restart`;
  throw new Fault('config-invalid', sentence);
}

const openedOnce = (base: Config): Readonly<Record<string, unknown>> => ({
  seal: base.seal ?? null,
  spool: base.spool ?? null,
  'metrics.listen': base.metrics?.listen ?? null,
  'CA files of notify': caFilesOf(base),
});

/** CAs that the configuration names for messages: the process for the network, which reads no file, is given them at its start. */
export const caFilesOf = ({ notify }: Config): readonly string[] =>
  notify.flatMap(({ channel }) => (channel.kind === 'webhook' && channel.caFile !== undefined ? [channel.caFile] : []));
