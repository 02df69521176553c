import type { Epoch, Millis } from '../token/time.ts';

export interface CertificateQuestion {
  readonly url: URL;
  /** A PEM file with the CAs to trust instead of the system's. */
  readonly caFile?: string;
  readonly timeout: Millis;
}

/**
 * Until when the certificate is good that a server shows, as a port.
 *
 * Contract: connects, speaks TLS with host check, asks nothing, hangs up. Undefined when that did not come about for whatever
 * reason: who asks has sent a request before, and knows the reason from that.
 */
export type CertificateLook = (question: CertificateQuestion) => Promise<Epoch | undefined>;
