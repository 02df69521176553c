import type { Millis } from '../token/time.ts';

/**
 * Telling the service manager how we are (sd_notify(3)), as a port.
 *
 * Contract: `notify` never rejects and takes at most a few seconds; without a service manager it does nothing. The names are
 * those of sd_notify: READY, RELOADING (MONOTONIC_USEC is added), STOPPING, STATUS, WATCHDOG, EXTEND_TIMEOUT_USEC. Values are
 * one line and hold no secret.
 */
export interface ServiceManager {
  notify(lines: Readonly<Record<string, string>>): Promise<void>;
  /** How often WATCHDOG=1 has to be said: half of what we were given; undefined where nobody watches. */
  readonly watchdogInterval: Millis | undefined;
}
