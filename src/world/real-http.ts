import { Fault } from '../fault/fault.ts';
import { epoch } from '../token/time.ts';
import { connectionFault } from './connection-fault.ts';
import type { Http, HttpNoAnswer } from './http.ts';
import { HttpAgents } from './http-agents.ts';
import { exchange } from './http-exchange.ts';
import { isLoopback } from './loopback.ts';

/** The real {@link Http}, on node:http: about twice as fast as fetch here, and nothing below it repeats or follows anything. */
export function realHttp(env: Readonly<Record<string, string | undefined>>): Http {
  const agents = new HttpAgents(env);
  return {
    async send(request) {
      const sentAt = epoch(Date.now());
      const { url } = request;
      const refused = (fault: Fault): HttpNoAnswer => ({ kind: 'no-answer', sent: 'no', sentAt, fault });
      if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
        const why = 'tokens travel over https only (plain http to loopback)';
        return refused(new Fault('issuer-unreachable', `not sent to ${url.protocol}//${url.host}: ${why}`));
      }
      try {
        const agent = agents.for(request);
        return await exchange(request, agent instanceof Promise ? await agent : agent, sentAt);
      } catch (thrown) {
        return refused(connectionFault(thrown, url.origin));
      }
    },
    close: () => agents.close(),
  };
}
