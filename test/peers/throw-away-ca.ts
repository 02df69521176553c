import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateWish {
  /** Default: localhost, 127.0.0.1 and ::1. */
  readonly names?: readonly string[];
  /** `expired`: was valid in 2020 only. */
  readonly validity?: 'now' | 'expired';
}

/** A CA that lives as long as a test: `openssl` makes it in a directory of its own. */
export interface ThrowAwayCa extends AsyncDisposable {
  readonly directory: string;
  /** The CA's own certificate, for `ca_file`. */
  readonly caFile: string;
  certificate(wish?: CertificateWish): Promise<CertificateFiles>;
  remove(): Promise<void>;
}

export async function throwAwayCa(): Promise<ThrowAwayCa> {
  const directory = await mkdtemp(join(tmpdir(), 'throw-away-ca-'));
  const at = (name: string) => join(directory, name);
  const caFile = at('ca.pem');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', [
    ...['req', '-x509', ...newKey, '-keyout', at('ca.key'), '-out', caFile],
    ...['-subj', '/CN=throw-away CA', '-days', '30'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
  let made = 0;

  async function certificate(wish: CertificateWish = {}): Promise<CertificateFiles> {
    made += 1;
    const certFile = at(`server-${made}.pem`);
    const keyFile = at(`server-${made}.key`);
    const names = wish.names ?? ['localhost', '127.0.0.1', '::1'];
    await run('openssl', [
      ...['req', '-new', ...newKey, '-keyout', keyFile, '-out', at(`server-${made}.csr`)],
      ...['-subj', `/CN=${names[0]}`],
    ]);
    await writeFile(at(`server-${made}.ext`), `subjectAltName=${names.map(altName).join(',')}\n`);
    const span = wish.validity === 'expired' ? inThePast : ['-days', '30'];
    await run('openssl', [
      ...['x509', '-req', '-in', at(`server-${made}.csr`), '-CA', caFile, '-CAkey', at('ca.key'), '-out', certFile],
      ...['-set_serial', String(made + 1), '-extfile', at(`server-${made}.ext`), ...span],
    ]);
    return { certFile, keyFile };
  }

  const remove = () => rm(directory, { recursive: true, force: true });
  return { directory, caFile, certificate, remove, [Symbol.asyncDispose]: remove };
}

/** `openssl x509` of OpenSSL 3.0 cannot set dates, but takes a negative number of days: valid from now until before now. */
const inThePast = ['-days', '-1'];

const altName = (name: string): string => (/^[\d.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`);
