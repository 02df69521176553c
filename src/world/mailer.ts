import type { Secret } from '../token/secret.ts';

/** A message by SMTP, and who takes it. */
export interface OutgoingMail {
  readonly host: string;
  readonly port: number;
  /** `starttls`: without STARTTLS nothing is sent, not even the login. */
  readonly tls: 'starttls' | 'implicit' | 'none';
  readonly login?: { readonly user: string; readonly password: Secret<'password'> };
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

/**
 * SMTP, as a port. Contract: resolves when the server has taken the message, and throws a Fault `notify-failed` otherwise, within a
 * minute; sends once and repeats nothing. The fault quotes no text of the server, which may hold what it was sent.
 */
export interface Mailer {
  send(mail: OutgoingMail): Promise<void>;
}
