/// <reference path="./nodemailer.d.ts" />
import { getSystemErrorName } from 'node:util';
import { Fault } from '../fault/fault.ts';
import { networkReason } from './connection-fault.ts';
import type { Mailer } from './mailer.ts';

/** For each of connecting, the greeting, and any silence after. */
const patience = 15_000;

/** The real {@link Mailer}, on nodemailer. */
export const realMailer: Mailer = {
  async send({ host, port, tls, login, from, to, subject, text }) {
    // Loaded here: it takes longer to load than most commands take to run.
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host,
      port,
      secure: tls === 'implicit',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      ...(login === undefined ? {} : { auth: { user: login.user, pass: login.password.reveal() } }),
      connectionTimeout: patience,
      greetingTimeout: patience,
      socketTimeout: patience,
      logger: false,
    });
    try {
      await transport.sendMail({
        from,
        to,
        subject,
        text,
        // RFC 3834: holiday answers and lists leave it alone.
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
    } catch (thrown) {
      throw new Fault('notify-failed', `no mail sent by ${host}:${port} to ${to.join(', ')}: ${reasonOf(thrown)}`);
    } finally {
      transport.close();
    }
  },
};

/** The kind of error, and the server's code; never its text, which may quote what it was sent. */
function reasonOf(thrown: unknown): string {
  const { code, errno, responseCode, command } = thrown as Readonly<Record<string, unknown>>;
  // The transport replaces the system's code by ESOCKET, and leaves its number.
  const below = typeof errno === 'number' && errno < 0 ? networkReason(getSystemErrorName(errno), thrown) : undefined;
  if (below !== undefined) return below;
  const known: Readonly<Record<string, string>> = {
    EAUTH: 'the login was refused',
    ETLS: 'there is no TLS with this server that we trust',
    ESOCKET: 'the connection failed (is the certificate one that this machine trusts?)',
    ECONNECTION: 'there is no connection',
    ETIMEDOUT: 'the server did not answer in time',
    EDNS: 'its name is not in DNS',
    EENVELOPE: 'an address was refused',
    EMESSAGE: 'the message was refused',
  };
  const name = typeof code === 'string' ? code : 'unknown';
  const said = typeof responseCode === 'number' ? ` (${responseCode} to ${verb(command)})` : ` (${name})`;
  return `${known[name] ?? 'it failed'}${said}`;
}

/** The SMTP command that was refused, such as `RCPT TO`. */
const verb = (command: unknown): string => /^[A-Z ]{1,20}$/.exec(String(command))?.[0] ?? 'a command';
