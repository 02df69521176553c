import type { NotifyChannel } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { Fault } from '../fault/fault.ts';
import { isLoopback } from '../world/loopback.ts';
import type { Channel } from './channel.ts';

type MailChannel = Extract<NotifyChannel, { kind: 'mail' }>;

/** Mail by SMTP; a password goes over TLS only. */
export const mail: Channel<MailChannel> = {
  kind: 'mail',
  async send(channel, { subject, text }, world) {
    const { host, port, tls, from, to, login } = channel;
    if (login !== undefined && tls === 'none' && !isLoopback(host)) {
      throw new Fault('notify-failed', `no mail sent by ${host}:${port}: a password travels over TLS only`, {
        hint: 'set tls to starttls or implicit',
      });
    }
    const known =
      login === undefined
        ? {}
        : { login: { user: login.user, password: await readSecret(world, login.password, 'password') } };
    await world.mailer.send({ host, port, tls, from, to, subject, text, ...known });
  },
};
