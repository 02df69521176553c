import type { NotifyChannel } from '../config/config.ts';
import type { World } from '../world/world.ts';
import type { Message } from './message.ts';

/**
 * A way to a person. One file per kind, one line in `channels.ts`.
 *
 * Contract: `send` resolves when the other side has taken the message, and throws a Fault otherwise, within a minute; it
 * sends once and repeats nothing. What it throws holds no secret, and no URL beyond its origin.
 */
export interface Channel<C extends NotifyChannel = NotifyChannel> {
  readonly kind: C['kind'];
  send(channel: C, message: Message, world: World): Promise<void>;
}
