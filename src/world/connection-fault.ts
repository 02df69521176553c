import { Fault } from '../fault/fault.ts';

const tlsReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet (is our clock right?)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from a CA that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate comes from a CA that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from a CA that is not trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from a CA that is not trusted here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  CERT_REVOKED: 'its certificate was revoked',
};

/** `{name}` and `{place}` are what was looked up or called: the issuer's, or a proxy's. */
const networkReasons: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name {name} is not in DNS',
  EAI_AGAIN: 'DNS gives no answer for {name} at the moment',
  ECONNREFUSED: 'nothing listens at {place} (connection refused)',
  ECONNRESET: 'the connection was cut off',
  EPIPE: 'the connection was cut off',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'the host does not answer',
};

/** What went wrong below HTTP, in plain words (scenarios 28 and 29). */
export function connectionFault(thrown: unknown, where: string): Fault {
  if (thrown instanceof Fault) return thrown;
  const error = rootOf(thrown);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const tls = tlsReason(code);
  if (tls !== undefined) {
    return new Fault('issuer-tls', `no TLS connection to ${where}: ${tls} (${code})`, {
      hint: 'if the issuer has a CA of its own, name it with --ca-file, or with ca_file in the account',
      cause: thrown,
    });
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return new Fault('issuer-tls', `no TLS connection to ${where}: it does not speak TLS as we do (${code})`, {
      cause: thrown,
    });
  }
  if (code === 'ERR_PROXY_TUNNEL') return proxyFault(error as { statusCode?: number }, where);
  const reason = networkReason(code, error) ?? `the connection failed${code === '' ? '' : ` (${code})`}`;
  return new Fault('issuer-unreachable', `no connection to ${where}: ${reason}`, { cause: thrown });
}

/** What an error code of TLS means, for whoever speaks TLS: what is wrong with the certificate. */
export const tlsReason = (code: string): string | undefined => tlsReasons[code];

/** What an error code of the system means here; `error` may tell which name or address it was. */
export function networkReason(code: string, error: unknown): string | undefined {
  const reason = networkReasons[code];
  return reason === undefined ? undefined : withPlaces(reason, error);
}

interface SystemError {
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
}

function withPlaces(reason: string, error: unknown): string {
  const { hostname, address, port } = error as SystemError;
  const place = address === undefined ? 'that place' : `${address}${port === undefined ? '' : ` port ${port}`}`;
  return reason.replace('{name}', hostname ?? 'of the host').replace('{place}', place);
}

/** The proxy answered instead of opening the way. Its own URL may hold a password and is not named. */
function proxyFault({ statusCode }: { readonly statusCode?: number }, where: string): Fault {
  const found =
    statusCode === 407
      ? 'the proxy wants a login (407)'
      : `the proxy does not open the way (${statusCode ?? 'no status'})`;
  return new Fault('issuer-unreachable', `no connection to ${where}: ${found}`, {
    hint: 'the proxy is the one of HTTPS_PROXY in the environment; NO_PROXY names hosts that are reached without it',
  });
}

/** Happy Eyeballs reports all its tries at once; the first says enough. */
function rootOf(thrown: unknown): unknown {
  return thrown instanceof AggregateError && thrown.errors.length > 0 ? thrown.errors[0] : thrown;
}
