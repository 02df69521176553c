import { setTimeout as delay } from 'node:timers/promises';
import { epoch, type Millis, mono } from '../token/time.ts';
import type { Clock } from './clock.ts';

/** Longest single timer. Longer sleeps are cut to it, so that a suspended machine or a set clock is noticed (scenarios 18 to 20). */
const longestTimer = 60_000;

export const realClock: Clock = {
  now: () => epoch(Date.now()),
  monotonic: () => mono(performance.now()),
  async sleep(length: Millis, signal?: AbortSignal): Promise<void> {
    const ms = Math.min(Math.max(0, Math.ceil(length)), longestTimer);
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
};
