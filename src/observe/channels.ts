import type { NotifyChannel } from '../config/config.ts';
import type { World } from '../world/world.ts';
import type { Channel } from './channel.ts';
import { mail } from './mail.ts';
import type { Message } from './message.ts';
import { command } from './notify-command.ts';
import { webhook } from './webhook.ts';

/** Every way to a person, by kind. A new one is one file and one line here. */
const channels: { readonly [K in NotifyChannel['kind']]: Channel<Extract<NotifyChannel, { kind: K }>> } = {
  mail,
  webhook,
  command,
};

/** Sends the message through the channel it is for. Throws what the channel throws. */
export async function sendThrough(channel: NotifyChannel, message: Message, world: World): Promise<void> {
  await (channels[channel.kind] as Channel).send(channel, message, world);
}
