import type { Clock } from '../../src/world/clock.ts';
import type { Http } from '../../src/world/http.ts';

/** Real requests whose answers carry the times of a test clock. */
export function clockedHttp(real: Http, clock: Clock): Http {
  return {
    ...real,
    async send(request) {
      const sentAt = clock.now();
      const answer = await real.send(request);
      return answer.kind === 'no-answer' ? { ...answer, sentAt } : { ...answer, sentAt, receivedAt: clock.now() };
    },
  };
}
