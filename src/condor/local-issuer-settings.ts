import { unfitIssuer } from '../config/safe-url.ts';
import { errnoHint, errnoWords } from '../fault/errno-words.ts';
import { Fault } from '../fault/fault.ts';
import type { IssuerSettings } from '../mint/issuer.ts';
import { settingsFile } from '../mint/settings.ts';
import { type NewSettings, settingsText } from '../mint/settings-text.ts';
import type { IssuerUrl } from '../token/names.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { filledIn } from './authz-template.ts';
import type { AuthzTemplate, LocalProvider } from './settings.ts';

/** How issuer.yaml of a local issuer begins. */
export const localIssuerHead = (provider: string): readonly string[] => [
  `# Made by tokeep-credmon from HTCondor's configuration (LOCAL_CREDMON_*) for the provider ${provider}, and made anew at its start and at`,
  '# each condor_reconfig: change HTCondor\'s configuration, and not this file. Only "suspend" and "audit" are kept as they are here.',
];

/** For messages: both spellings of a knob. */
export const localKnob = ({ provider }: Pick<LocalProvider, 'provider'>, name: string): string =>
  `LOCAL_CREDMON_${name} (or LOCAL_CREDMON_${provider}_${name})`;

/**
 * The policy is HTCondor's templates: any of its users, the scopes that the templates can give, exactly its lifetime and audiences. Throws
 * Fault `config-invalid` for what no token can be made of.
 */
export function localIssuerSettings(provider: LocalProvider, kept?: IssuerSettings): NewSettings {
  const { issuer, profile, version, audience, lifetime, authz } = provider;
  const unfit = unfitIssuer(issuer);
  if (unfit !== undefined) throw new Fault('config-invalid', `${localKnob(provider, 'ISSUER')}: ${issuer} ${unfit}`);
  if (audience.length === 0 && version.toLowerCase() === 'scitoken:2.0') throw noAudience(provider);
  return {
    url: issuer as IssuerUrl,
    profile,
    policy: {
      scopes: scopesOf(authz),
      audiences: audience,
      everyone: false,
      subjects: ['*'],
      groups: [],
      claims: [],
      lifetime: { usual: lifetime, most: lifetime },
      suspended: kept?.policy.suspended ?? [],
      audiencesToTheLetter: true,
    },
    ...(kept === undefined || kept.audit.subjects === 'plain' ? {} : { audit: kept.audit }),
    keys: 'sealed',
    store: { kind: 'sqlite' },
    htcondor: profile === 'scitokens' && version !== '' ? { ver: version } : {},
  };
}

/** What an expression gives is not known beforehand: then every scope may be. */
function scopesOf({ template, groupTemplate, expression }: AuthzTemplate): readonly string[] {
  if (expression !== undefined) return ['*'];
  const own = filledIn('AUTHZ_TEMPLATE', template, { username: '*' });
  const ofGroups = filledIn('AUTHZ_GROUP_TEMPLATE', groupTemplate ?? '', { groupname: '*' });
  return [...new Set(`${own} ${ofGroups}`.split(/\s+/).filter((word) => word !== ''))];
}

const noAudience = (provider: LocalProvider): Fault =>
  new Fault(
    'config-invalid',
    `tokens of version scitoken:2.0 need an audience, and ${localKnob(provider, 'TOKEN_AUDIENCE')} is not set`,
    { hint: `name the services that take them, such as LOCAL_CREDMON_TOKEN_AUDIENCE = https://storage.example.org` },
  );

/** Replaces issuer.yaml where it would say something else. Throws Fault `state-write-failed`. */
export async function writeLocalSettings(
  world: World,
  directory: string,
  { settings, head }: { readonly settings: NewSettings; readonly head: readonly string[] },
): Promise<void> {
  const text = settingsText(settings, head);
  const path = settingsFile(directory);
  try {
    if ((await world.files.readText(path, text.length + 1)) === text) return;
  } catch {
    // Larger than ours would be, so another one.
  }
  try {
    const files = await world.files.openDirectory(directory);
    try {
      const temporary = `.issuer.yaml.${world.random.id()}`;
      await replaceFile(files, 'issuer.yaml', { bytes: Buffer.from(text), temporary, mode: 0o600, keeps: 'durable' });
    } finally {
      await files.close();
    }
  } catch (thrown) {
    throw new Fault('state-write-failed', `${path} could not be written: ${errnoWords(thrown)}`, {
      hint: errnoHint(thrown, directory),
      cause: thrown,
    });
  }
}
