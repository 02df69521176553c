import type { NotifyChannel } from '../config/config.ts';
import { runTrusted } from '../world/trusted-command.ts';
import type { Channel } from './channel.ts';

type CommandChannel = Extract<NotifyChannel, { kind: 'command' }>;

/** A command of the site, with the message as JSON on standard input; exit status 0 means that it took it. */
export const command: Channel<CommandChannel> = {
  kind: 'command',
  async send(channel, message, world) {
    await runTrusted(world, { argv: channel.argv, stdin: JSON.stringify(message.json), timeout: channel.timeout });
  },
};
