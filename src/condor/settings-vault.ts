import type { KnobReader } from './knob-reader.ts';
import type { CredmonSettings } from './settings.ts';

/** Where vault tokens may be sent, and how long a token from there has to live. */
export function readVault(reader: KnobReader, { meant }: { readonly meant: boolean }): CredmonSettings['vault'] {
  const hosts = reader.list('TRUSTED_VAULT_HOSTS').map((host) => host.toLowerCase());
  const caFile = reader.path('AUTH_SSL_CLIENT_CAFILE');
  if (hosts.length === 0 && meant) {
    reader.warn(
      'TRUSTED_VAULT_HOSTS',
      'TRUSTED_VAULT_HOSTS is not set: vault tokens of users are sent nowhere, since a user can store any address',
      'set it to the names of your vault servers, for example vault.example.org',
    );
  }
  return {
    hosts: hosts.length === 0 ? undefined : hosts,
    minimum: reader.seconds('CREDMON_OAUTH_TOKEN_MINIMUM', 2400),
    ...(caFile === undefined ? {} : { caFile }),
  };
}

/**
 * Whether TRUSTED_VAULT_HOSTS has the host of a URL. condor_credd compares an entry with everything between `//` and the next
 * `/`, port included, so an entry may be `host:port`; one without a port trusts the host on any.
 */
export function trustsVault(hosts: readonly string[] | undefined, url: URL): boolean {
  if (hosts === undefined) return false;
  const port = url.port === '' ? '443' : url.port;
  const names = [url.hostname, `${url.hostname}:${port}`].map((name) => name.toLowerCase());
  return names.some((name) => hosts.includes(name));
}

/** TOKEEP_MYTOKEN_SERVERS and the CA for them. What is no https:// address is a finding, and trusted with nothing. */
export function readMytoken(reader: KnobReader): CredmonSettings['mytoken'] {
  const servers = reader.list('TOKEEP_MYTOKEN_SERVERS').flatMap((server) => {
    if (URL.canParse(server) && new URL(server).protocol === 'https:') return [new URL(server).origin];
    reader.error('TOKEEP_MYTOKEN_SERVERS', `TOKEEP_MYTOKEN_SERVERS names ${server}, which is not an https:// URL`);
    return [];
  });
  const caFile = reader.path('TOKEEP_MYTOKEN_CA_FILE');
  return {
    servers: servers.length === 0 ? undefined : servers,
    ...(caFile === undefined ? {} : { caFile }),
  };
}
