/// <reference path="./nodemailer.d.ts" />
import { getSystemErrorName } from 'node:util';
import type { NotifyChannel } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { Fault } from '../fault/fault.ts';
import { networkReason } from '../world/connection-fault.ts';
import { isLoopback } from '../world/loopback.ts';
import type { Channel } from './channel.ts';
import { printable } from './printable.ts';

type MailChannel = Extract<NotifyChannel, { kind: 'mail' }>;

/** For each of connecting, the greeting, and any silence after. */
const patience = 15_000;

/** Mail by SMTP. `starttls` means that without STARTTLS nothing is sent, not even the login. */
export const mail: Channel<MailChannel> = {
  kind: 'mail',
  async send(channel, message, world) {
    const where = `${channel.host}:${channel.port}`;
    if (channel.login !== undefined && channel.tls === 'none' && !isLoopback(channel.host)) {
      throw new Fault('notify-failed', `no mail sent by ${where}: a password travels over TLS only`, {
        hint: 'set tls to starttls or implicit',
      });
    }
    const password =
      channel.login === undefined ? undefined : await readSecret(world, channel.login.password, 'password');
    // Loaded here: it takes longer to load than most commands take to run.
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host: channel.host,
      port: channel.port,
      secure: channel.tls === 'implicit',
      requireTLS: channel.tls === 'starttls',
      ignoreTLS: channel.tls === 'none',
      ...(channel.login === undefined || password === undefined
        ? {}
        : { auth: { user: channel.login.user, pass: password.reveal() } }),
      connectionTimeout: patience,
      greetingTimeout: patience,
      socketTimeout: patience,
      logger: false,
    });
    try {
      await transport.sendMail({
        from: channel.from,
        to: channel.to,
        subject: message.subject,
        text: message.text,
        // RFC 3834: holiday answers and lists leave it alone.
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
      });
    } catch (thrown) {
      throw new Fault('notify-failed', `no mail sent by ${where} to ${channel.to.join(', ')}: ${reasonOf(thrown)}`);
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
  const said = typeof responseCode === 'number' ? ` (${responseCode} to ${printable(String(command))})` : ` (${name})`;
  return `${known[name] ?? 'it failed'}${said}`;
}
