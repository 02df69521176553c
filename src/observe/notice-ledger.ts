import type { NoticeRecord } from '../store/records.ts';
import { between, type Epoch, epoch, hours } from '../token/time.ts';

/** Keys of the two notices that are about the channel itself. Keys of conditions never start with `#`. */
export const failureKey = '#failing';
const sentKey = '#sent';

/** At most this many messages per channel in any hour, whatever happens. */
export const mostPerHour = 10;
const window = hours(1);

/** When messages went out through the channel within the last hour, oldest first. A time ahead of a clock set back counts too. */
export function sentWithinTheHour(said: readonly NoticeRecord[], channel: string, now: Epoch): readonly Epoch[] {
  const ledger = said.find((record) => record.channel === channel && record.key === sentKey);
  if (ledger === undefined) return [];
  return ledger.stage
    .split(' ')
    .map((text) => epoch(Number(text)))
    .filter((at) => Number.isFinite(at) && Math.abs(between(at, now)) < window);
}

/** The channel's ledger with one more message in it. */
export function withSent(said: readonly NoticeRecord[], channel: string, now: Epoch): NoticeRecord {
  const times = [...sentWithinTheHour(said, channel, now), now];
  return { key: sentKey, channel, state: 'raised', stage: times.join(' '), saidAt: now };
}

/** Whether the channel works, as a notice of its own; undefined when nothing changed. */
export function channelNotice(
  said: readonly NoticeRecord[],
  channel: string,
  works: boolean,
  now: Epoch,
): NoticeRecord | undefined {
  const known = said.find((record) => record.channel === channel && record.key === failureKey);
  const state = works ? 'cleared' : 'raised';
  if (known === undefined ? works : known.state === state) return undefined;
  return { key: failureKey, channel, state, stage: 'raised', saidAt: now };
}
