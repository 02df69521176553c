import { getCACertificates } from 'node:tls';

/** The CAs to trust where no file names others: Node's own and those of the system, which SSL_CERT_FILE and SSL_CERT_DIR may name. */
export const trustedAuthorities = (): string[] => [
  ...new Set([...getCACertificates('default'), ...getCACertificates('system')]),
];
