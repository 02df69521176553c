import type { KnobReader } from './knob-reader.ts';
import type { WebSettings } from './settings.ts';

/** What the settings need to know besides the knobs. */
export interface PoolFacts {
  /** The name of this machine, where HTCondor's configuration has none. */
  readonly hostname: string;
  /** Whether the pool is root's, that is, its daemons run as root; not whether this process does. */
  readonly isRoot: boolean;
  /** The owner of a pool that is not root's, by name. */
  readonly user: string;
}

/** TOKEEP_WEB_* and CREDMON_WEB_PREFIX. */
export function readWeb(reader: KnobReader, pool: PoolFacts, localDirectory: string): WebSettings {
  const host = reader.text('FULL_HOSTNAME') ?? pool.hostname;
  const certificate = reader.path('TOKEEP_WEB_CERTIFICATE');
  const key = reader.path('TOKEEP_WEB_KEY');
  const log = reader.path('CREDMON_WEB_LOG');
  if ((certificate === undefined) !== (key === undefined)) {
    const missing = key === undefined ? 'TOKEEP_WEB_KEY' : 'TOKEEP_WEB_CERTIFICATE';
    reader.error(missing, `TLS needs TOKEEP_WEB_CERTIFICATE and TOKEEP_WEB_KEY, but ${missing} is not set`);
  }
  return {
    prefix: readPrefix(reader, host),
    listen: reader.text('TOKEEP_WEB_LISTEN') ?? '127.0.0.1:8443',
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    trustedProxies: reader.list('TOKEEP_WEB_TRUSTED_PROXIES'),
    login: readLogin(reader),
    ...(log === undefined ? {} : { log }),
    user: reader.text('TOKEEP_WEB_USER') ?? (pool.isRoot ? 'condor' : pool.user),
    state:
      reader.path('TOKEEP_WEB_STATE') ?? (pool.isRoot ? '/var/lib/tokeep-credmon-web' : `${localDirectory}/tokeep-web`),
    host,
  };
}

function readPrefix(reader: KnobReader, host: string): string {
  const prefix = reader.url('CREDMON_WEB_PREFIX') ?? `https://${host}`;
  if (URL.canParse(prefix)) return prefix.replace(/\/+$/, '');
  const said = JSON.stringify(host);
  reader.error('CREDMON_WEB_PREFIX', `CREDMON_WEB_PREFIX is not set, and ${said} is no name of a host to take instead`);
  return 'https://localhost';
}

/** A login that is asked for and cannot be had lets nobody in; falling back to none would let everybody in. */
function readLogin(reader: KnobReader): WebSettings['login'] {
  if (!reader.isSet('TOKEEP_WEB_LOGIN')) return { kind: 'none' };
  switch (reader.choice('TOKEEP_WEB_LOGIN', ['none', 'proxy', 'oidc'])) {
    case 'none':
      return { kind: 'none' };
    case 'proxy':
      return readProxyLogin(reader);
    case 'oidc':
      return readOidcLogin(reader);
    case undefined:
      return { kind: 'closed' };
  }
}

function readProxyLogin(reader: KnobReader): WebSettings['login'] {
  if (!reader.isSet('TOKEEP_WEB_TRUSTED_PROXIES')) {
    reader.error(
      'TOKEEP_WEB_TRUSTED_PROXIES',
      'TOKEEP_WEB_LOGIN is proxy, but TOKEEP_WEB_TRUSTED_PROXIES does not say which proxy is believed',
      'set it to the address of the proxy, for example 127.0.0.1',
    );
    return { kind: 'closed' };
  }
  return { kind: 'proxy', header: (reader.text('TOKEEP_WEB_LOGIN_HEADER') ?? 'X-Remote-User').toLowerCase() };
}

function readOidcLogin(reader: KnobReader): WebSettings['login'] {
  const issuer = reader.issuer('TOKEEP_WEB_LOGIN_ISSUER');
  const clientId = reader.text('TOKEEP_WEB_LOGIN_CLIENT_ID');
  const clientSecret = reader.secretFile('TOKEEP_WEB_LOGIN_CLIENT_SECRET_FILE');
  const mapfile = reader.path('TOKEEP_WEB_LOGIN_MAPFILE');
  for (const knob of ['TOKEEP_WEB_LOGIN_ISSUER', 'TOKEEP_WEB_LOGIN_CLIENT_ID']) {
    if (!reader.isSet(knob)) reader.error(knob, `TOKEEP_WEB_LOGIN is oidc, but ${knob} is not set`);
  }
  const broken = (knob: string, value: unknown) => value === undefined && reader.isSet(knob);
  if (issuer === undefined || clientId === undefined) return { kind: 'closed' };
  if (broken('TOKEEP_WEB_LOGIN_CLIENT_SECRET_FILE', clientSecret)) return { kind: 'closed' };
  if (broken('TOKEEP_WEB_LOGIN_MAPFILE', mapfile)) return { kind: 'closed' };
  return {
    kind: 'oidc',
    issuer,
    clientId,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    scope: reader.text('TOKEEP_WEB_LOGIN_SCOPE') ?? 'openid profile email',
    claim: reader.text('TOKEEP_WEB_LOGIN_CLAIM') ?? 'preferred_username',
    stripDomain: reader.flag('TOKEEP_WEB_LOGIN_STRIP_DOMAIN', false),
    ...(mapfile === undefined ? {} : { mapfile }),
  };
}
