import { type Millis, millis, minutes } from '../token/time.ts';
import type { CredmonSettings } from './settings.ts';

/** Asking, writing, and a first try that fails. */
const margin = minutes(1);

/**
 * What must be left of a token in `.use` at any time. A job gets the next one up to SEC_CREDENTIAL_REFRESH after it lies there, and
 * must not hold an expired one until then.
 * @param life of the tokens, where it is known beforehand: one that is hardly longer than a job waits takes a smaller margin, since half a
 * margin is better than the half of its life that the schedule would go by
 */
export function leadTime({ refreshInJobs }: Pick<CredmonSettings, 'refreshInJobs'>, life?: Millis): Millis {
  const wanted = millis(refreshInJobs + margin);
  if (life === undefined || wanted < life || life <= refreshInJobs) return wanted;
  return millis(refreshInJobs + (life - refreshInJobs) / 2);
}
