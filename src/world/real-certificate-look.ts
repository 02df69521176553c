import { readFile } from 'node:fs/promises';
import { connect, type TLSSocket } from 'node:tls';
import { type Epoch, epoch } from '../token/time.ts';
import type { CertificateLook, CertificateQuestion } from './certificate-look.ts';
import { trustedAuthorities } from './trusted-authorities.ts';

/** The real {@link CertificateLook}, on node:tls. Goes straight to the host: behind a proxy there is nothing to see. */
export const realCertificateLook: CertificateLook = async ({ url, caFile, timeout }) => {
  try {
    return await look(url, caFile === undefined ? trustedAuthorities() : await readFile(caFile), timeout);
  } catch {
    return undefined;
  }
};

function look(
  { hostname, port }: URL,
  ca: Buffer | string[],
  timeout: CertificateQuestion['timeout'],
): Promise<Epoch | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Epoch | undefined>();
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const servername = /^[\d.]+$|:/.test(host) ? '' : host;
  const socket: TLSSocket = connect({
    host,
    port: Number(port || 443),
    servername,
    timeout,
    ca,
  });
  socket.once('secureConnect', () => {
    const until = Date.parse(socket.getPeerCertificate().valid_to);
    resolve(Number.isNaN(until) ? undefined : epoch(until));
  });
  socket.once('timeout', () => resolve(undefined));
  socket.once('error', reject);
  return promise.finally(() => socket.destroy());
}
