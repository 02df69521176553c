import type { NotifyChannel } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { Fault } from '../fault/fault.ts';
import { seconds } from '../token/time.ts';
import type { Channel } from './channel.ts';
import type { Message } from './message.ts';

type WebhookChannel = Extract<NotifyChannel, { kind: 'webhook' }>;

/** A POST of the message as JSON, or as the `{"text": …}` that Slack and Mattermost take. */
export const webhook: Channel<WebhookChannel> = {
  kind: 'webhook',
  async send(channel, message, world) {
    const url = new URL(channel.url);
    const bearer = channel.bearer === undefined ? undefined : await readSecret(world, channel.bearer, 'password');
    const answer = await world.http.send({
      method: 'POST',
      url,
      headers: {
        'content-type': 'application/json',
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer.reveal()}` }),
      },
      body: JSON.stringify(channel.form === 'slack' ? { text: slackText(message) } : message.json),
      timeout: seconds(15),
      maxBytes: 65_536,
      connection: 'pooled',
      ...(channel.caFile === undefined ? {} : { caFile: channel.caFile }),
    });
    // Only the origin is named: the path of such a URL is its password.
    if (answer.kind === 'no-answer') {
      throw new Fault('notify-failed', `no message sent to ${url.origin}: ${answer.fault.message}`);
    }
    if (answer.status < 200 || answer.status > 299) {
      throw new Fault('notify-failed', `no message sent to ${url.origin}: it answered ${answer.status}`);
    }
  },
};

/** Slack reads `&`, `<` and `>` as its own; `<!channel>` in an issuer's error text would wake up everybody. */
const slackText = ({ subject, text }: Message): string =>
  `${subject}\n${text}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
