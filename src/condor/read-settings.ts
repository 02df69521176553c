import { type Millis, millis } from '../token/time.ts';
import { KnobReader } from './knob-reader.ts';
import type { Knobs } from './knobs.ts';
import { type ProviderLists, providerKind, providerLists } from './providers.ts';
import type { ClientProvider, CredmonSettings, LocalProvider, OAuth2Provider } from './settings.ts';
import { readClientProvider } from './settings-client.ts';
import { readLocalProvider } from './settings-local.ts';
import { providersWithClient, readOAuth2Provider } from './settings-oauth2.ts';
import { readMytoken, readVault } from './settings-vault.ts';
import { type PoolFacts, readWeb } from './settings-web.ts';

/**
 * HTCondor's configuration as far as it concerns us. Never throws: what is wrong is a finding, and a provider that is wrong is not
 * there (`local()` and its kin answer undefined), while the others are.
 */
export function settingsOf(knobs: Knobs, pool: PoolFacts): CredmonSettings {
  const reader = new KnobReader(knobs);
  const specialNames = reader.flag('CREDMON_ALLOW_SPECIAL_CHAR_NAMES', false);
  const lists = providerLists(reader, { specialNames });
  const localDirectory = reader.path('LOCAL_DIR') ?? '/var/lib/condor';
  const config = reader.path('TOKEEP_CREDMON_CONFIG');
  const log = reader.path(['CREDMON_OAUTH_LOG', 'SEC_CREDENTIAL_MONITOR_OAUTH_LOG', 'SEC_CREDENTIAL_MONITOR_LOG']);
  const providers = readProviders(reader, knobs, lists, reader.text('FULL_HOSTNAME') ?? pool.hostname);
  return {
    directory: readDirectory(reader),
    trustDirectory: reader.flag('TRUST_CREDENTIAL_DIRECTORY', false),
    refreshInJobs: notBelowZero(reader.seconds('SEC_CREDENTIAL_REFRESH', 300, Number.NEGATIVE_INFINITY)),
    json: reader.flag('TOKEEP_USE_JSON', true),
    specialNames,
    ...(log === undefined ? {} : { log }),
    state:
      reader.path('TOKEEP_CREDMON_STATE') ??
      (pool.isRoot ? '/var/lib/tokeep-credmon' : `${localDirectory}/tokeep-credmon`),
    ...(config === undefined ? {} : { config }),
    networkUser: readNetworkUser(reader),
    ...providers,
    vault: readVault(reader, { meant: lists.vaultMeant }),
    mytoken: readMytoken(reader),
    web: readWeb(reader, pool, localDirectory),
    findings: reader.findings,
  };
}

/** HTCondor sets the two left out by itself. */
const setForLocal = /^local_credmon_(?!token_(version|use_json)$)/;

type Providers = Pick<CredmonSettings, 'kindOf' | 'oauth2' | 'local' | 'client' | 'localProviders'>;

function readProviders(reader: KnobReader, knobs: Knobs, lists: ProviderLists, hostname: string): Providers {
  // `scitokens` is local by default: where nothing is set for a local provider, that it cannot be used is no fault.
  const isWanted = lists.localIsNamed || knobs.names.some((name) => setForLocal.test(name));
  const localReader = isWanted ? reader : new KnobReader(knobs);
  const local = new Map<string, LocalProvider>();
  for (const name of lists.local) put(local, name, readLocalProvider(localReader, name, hostname));
  const client = new Map<string, ClientProvider>();
  for (const name of lists.client) put(client, name, readClientProvider(reader, name));
  const oauth2 = readOAuth2Providers(reader, knobs, lists);
  return {
    kindOf: (provider, top) =>
      providerKind(lists, provider, { hasClient: knobs.get(`${provider}_CLIENT_ID`) !== undefined, top }),
    oauth2: (provider) => {
      const found = oauth2.get(provider.toLowerCase());
      return found === undefined ? undefined : { ...found, provider };
    },
    local: (provider) => local.get(provider),
    client: (provider) => client.get(provider),
    localProviders: [...local.keys()],
  };
}

/** By name in lower case, since HTCondor does not tell `MYTOK_CLIENT_ID` from `mytok_CLIENT_ID`. */
function readOAuth2Providers(
  reader: KnobReader,
  knobs: Knobs,
  lists: ProviderLists,
): ReadonlyMap<string, OAuth2Provider> {
  const spelling = new Map([...lists.oauth2].map((name) => [name.toLowerCase(), name]));
  const providers = new Map<string, OAuth2Provider>();
  const withClient = new Set(providersWithClient(knobs));
  for (const name of withClient) {
    put(providers, name, readOAuth2Provider(reader, spelling.get(name) ?? name.toUpperCase()));
  }
  for (const [name, spelled] of spelling) {
    // The name of a provider of mytokens may stand there, so that condor_credd stores a `.top` for it.
    if (withClient.has(name) || lists.mytoken.has(spelled)) continue;
    reader.error(
      `${spelled}_CLIENT_ID`,
      `OAUTH2_CREDMON_PROVIDER_NAMES names ${spelled}, but ${spelled}_CLIENT_ID is not set`,
    );
  }
  return providers;
}

function put<P>(providers: Map<string, P>, name: string, provider: P | undefined): void {
  if (provider !== undefined) providers.set(name, provider);
}

const usualDirectory = '/var/lib/condor/oauth_credentials';

function readDirectory(reader: KnobReader): string {
  const names = ['SEC_CREDENTIAL_DIRECTORY_OAUTH', 'SEC_CREDENTIAL_DIRECTORY'] as const;
  if (!reader.isSet(names)) {
    reader.error(
      names[0],
      `${names[0]} is not set; ${usualDirectory} is taken`,
      "put `use feature : OAUTH` into HTCondor's configuration",
    );
  }
  return reader.path(names) ?? usualDirectory;
}

/** HTCondor takes every number up to 0 for "never". */
const notBelowZero = (length: Millis): Millis => millis(Math.max(0, length));

function readNetworkUser(reader: KnobReader): string {
  const user = reader.text('TOKEEP_CREDMON_NETWORK_USER') ?? 'nobody';
  if (user !== 'root' && user !== '0') return user;
  reader.error(
    'TOKEEP_CREDMON_NETWORK_USER',
    'TOKEEP_CREDMON_NETWORK_USER is root, who must not speak to the network; taken as nobody',
  );
  return 'nobody';
}
