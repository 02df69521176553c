import type { KnobReader } from './knob-reader.ts';
import type { Knobs } from './knobs.ts';
import type { OAuth2Provider } from './settings.ts';

/** What HTCondor sets by itself; here, too, for configurations that are not a whole dump. */
const predefined: Readonly<Record<string, { readonly authorizationUrl: string; readonly tokenUrl: string }>> = {
  box: {
    authorizationUrl: 'https://account.box.com/api/oauth2/authorize',
    tokenUrl: 'https://api.box.com/oauth2/token',
  },
  gdrive: {
    authorizationUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
  },
  onedrive: {
    authorizationUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
  },
  dropbox: {
    authorizationUrl: 'https://www.dropbox.com/oauth2/authorize',
    tokenUrl: 'https://api.dropboxapi.com/oauth2/token',
  },
};

/** `<SVC>_*`; undefined for a name without `<SVC>_CLIENT_ID`, and where something is wrong, which is then a finding. */
export function readOAuth2Provider(reader: KnobReader, provider: string): OAuth2Provider | undefined {
  const knob = (name: string) => `${provider}_${name}`;
  const clientId = reader.text(knob('CLIENT_ID'));
  if (clientId === undefined) return undefined;
  const known = Object.hasOwn(predefined, provider.toLowerCase()) ? predefined[provider.toLowerCase()] : undefined;
  const url = (name: string, fallback?: string) => (reader.isSet(knob(name)) ? reader.url(knob(name)) : fallback);
  const tokenUrl = url('TOKEN_URL', known?.tokenUrl);
  const authorizationUrl = url('AUTHORIZATION_URL', known?.authorizationUrl);
  const userUrl = url('USER_URL');
  const issuer = reader.issuer(knob('ISSUER'));
  const clientSecret = reader.secretFile(knob('CLIENT_SECRET_FILE'));
  const returnUrlSuffix = reader.text(knob('RETURN_URL_SUFFIX'));
  if (!reader.isSet(knob('TOKEN_URL')) && known === undefined) {
    reader.error(knob('TOKEN_URL'), `${provider} has a client, but ${knob('TOKEN_URL')} is not set`);
  }
  const broken = (name: string, value: unknown) => value === undefined && reader.isSet(knob(name));
  if (tokenUrl === undefined || broken('ISSUER', issuer) || broken('CLIENT_SECRET_FILE', clientSecret))
    return undefined;
  return {
    provider,
    clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    tokenUrl,
    ...(authorizationUrl === undefined ? {} : { authorizationUrl }),
    ...(userUrl === undefined ? {} : { userUrl }),
    ...(returnUrlSuffix === undefined ? {} : { returnUrlSuffix }),
    ...(issuer === undefined ? {} : { issuer }),
  };
}

/** The providers that have a client, by `<SVC>_CLIENT_ID`, in lower case as the names of knobs are told. */
export function providersWithClient(knobs: Knobs): readonly string[] {
  return knobs.names
    .map((name) => /^(.+)_client_id$/.exec(name)?.[1])
    .filter((name): name is string => name !== undefined)
    .filter((name) => !/_pelican$|^(client|local)_credmon(_|$)|^tokeep_/.test(name));
}
