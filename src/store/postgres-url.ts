import { Fault } from '../fault/fault.ts';
import { isLoopback } from '../world/loopback.ts';

/** Where PostgreSQL is, without a word about how it is encrypted: that is not left to the URL. */
export interface PostgresPlace {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** A Unix socket or loopback: the only places that are reached without TLS. */
  readonly local: boolean;
}

/**
 * Reads `postgres://user:password@host:port/database`, or `postgres:///database?host=/run/postgresql&user=name`. Everything that is not
 * local is reached over TLS with certificate and name verified, whatever `sslmode` says. Throws `config-invalid`, without the URL.
 */
export function postgresPlace(text: string): PostgresPlace {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')) {
    throw new Fault('config-invalid', 'the address of the PostgreSQL store is not a postgres:// URL');
  }
  const host = url.searchParams.get('host') ?? url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') {
    throw new Fault('config-invalid', 'the address of the PostgreSQL store names no host', {
      hint: 'write postgres:///NAME?host=/run/postgresql for a Unix socket',
    });
  }
  const given = (part: string) => (part === '' ? undefined : decodeURIComponent(part));
  const asked = (name: string) => url.searchParams.get(name) ?? undefined;
  return {
    host,
    port: Number(url.port === '' ? (url.searchParams.get('port') ?? 5432) : url.port),
    database: given(url.pathname.slice(1)) ?? 'tokeep',
    user: given(url.username) ?? asked('user'),
    password: given(url.password) ?? asked('password'),
    local: host.startsWith('/') || isLoopback(host),
  };
}
