import { type Scenario, type SimulatedIssuer, simulate } from '../src/renew/simulation.ts';
import { after, between, days, epoch, hours, type Millis, millis } from '../src/token/time.ts';
import type { Section } from './figure.ts';

const wishes = 100_000;
const issuers = 200;
const life = hours(6);
const limits = { concurrency: 4, perSecond: 100 };

const from = epoch(Date.UTC(2027, 0, 4));
const to = after(from, days(7));
const outage = { from: after(from, days(1)), to: after(from, days(5)) };

export const week: Section = {
  name: 'week',
  title: 'A week on a simulated clock',
  how: `${wishes} wishes with tokens of six hours, of ${issuers} issuers under the default limits, each answering after 50 ms, for a week: once
undisturbed, and once with the first issuer away for four days. The schedule, the limits and the circuit are those of the engine.`,
  async run(tell) {
    const begun = performance.now();
    const calm = simulate(scenario([]));
    tell(`undisturbed: ${sum(calm.requests)} requests`);
    const away = simulate(scenario([outage]));
    tell(`with the outage: ${sum(away.requests)} requests, ${away.requests[0]} of them to the issuer that was away`);
    const took = (performance.now() - begun) / 1000;
    const back = away.gaps.map(({ to }) => (to === null ? Number.NaN : between(outage.to, to)));
    const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), 0);
    return [
      {
        what: 'requests, compared to the undisturbed week',
        measured: sum(away.requests) / sum(calm.requests),
        unit: '×',
        must: { be: 'at most', value: 1.2 },
      },
      {
        what: 'the same, for the issuer that was away alone',
        measured: (away.requests[0] ?? 0) / (calm.requests[0] ?? 0),
        unit: '×',
      },
      {
        what: 'most requests to one issuer in a second',
        measured: most(away.busiestSecond),
        unit: '',
        must: { be: 'at most', value: limits.perSecond },
      },
      {
        what: 'most requests to one issuer under way',
        measured: most(away.mostInFlight),
        unit: '',
        must: { be: 'at most', value: limits.concurrency },
      },
      {
        what: 'wishes without a token at the end',
        measured: away.gaps.filter(({ to }) => to === null).length,
        unit: '',
        must: { be: 'at most', value: 0 },
      },
      { what: 'after the outage, until the last wish has a token again', measured: most(back) / 1000, unit: 's' },
      { what: 'both weeks', measured: took, unit: 's', must: { be: 'at most', value: 60 } },
    ];
  },
};

/** The wishes begin spread over the life of their tokens, as after months of running. */
function scenario(outages: SimulatedIssuer['outages']): Scenario {
  const chance = seeded(20_270_104);
  return {
    from,
    to,
    wishes: Array.from({ length: wishes }, (_, index) => {
      const age = chance() * life * 0.5;
      const expiresAt = after(from, millis(life - age));
      return { issuer: index % issuers, life, expiresAt, dueAt: after(from, millis(chance() * life * 0.5) as Millis) };
    }),
    issuers: Array.from({ length: issuers }, (_, index) => ({ limits, outages: index === 0 ? outages : [] })),
    latency: millis(50),
    chance,
  };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** mulberry32: the same week at every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
