import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Entrance, IssuerDesk, type Ticket } from '../../src/renew/issuer-desk.ts';
import { after, minutes } from '../../src/token/time.ts';
import { realRandom } from '../../src/world/real-random.ts';
import { TestClock } from '../../src/world/test-clock.ts';

const issuer = 'https://issuer.example/';
const never = new AbortController().signal;

function deskFor(concurrency: number, clock = new TestClock()): IssuerDesk {
  return new IssuerDesk(
    {
      clock,
      random: realRandom,
      limitsOf: () => ({ concurrency, perSecond: 100_000 }),
      draw: async (_issuer, want) => ({ granted: want, nextAt: clock.now() }),
      changed: () => {},
    },
    [],
  );
}

const ticketOf = (entrance: Entrance): Ticket => {
  assert.equal(entrance.kind, 'in');
  return (entrance as Extract<Entrance, { kind: 'in' }>).ticket;
};

test('a place that becomes free while the desk looks at the next in line is not overlooked', async () => {
  const desk = deskFor(1);
  const first = ticketOf(await desk.enter(issuer, never));
  await new Promise(setImmediate);
  const second = desk.enter(issuer, never);
  first.leave({ kind: 'answered' });
  const outcome = await Promise.race([second, new Promise<'stuck'>((done) => setTimeout(done, 200, 'stuck').unref())]);
  assert.notEqual(outcome, 'stuck');
});

test('whoever waited longer than their claim is good for is told so instead of being let in', async () => {
  const clock = new TestClock();
  const desk = deskFor(1, clock);
  const first = ticketOf(await desk.enter(issuer, never));
  const second = desk.enter(issuer, never, { staleAt: after(clock.now(), minutes(5)) });
  const third = desk.enter(issuer, never, { staleAt: after(clock.now(), minutes(15)) });
  clock.advance(minutes(6));
  first.leave({ kind: 'answered' });
  assert.deepEqual(await second, { kind: 'stale' });
  assert.equal((await third).kind, 'in');
});

test('scenario 47: an issuer that hangs does not keep all that waits for it in the queue, where others would find no place', async () => {
  const clock = new TestClock();
  const desk = deskFor(1, clock);
  const first = ticketOf(await desk.enter(issuer, never));
  const waiting = Array.from({ length: 1000 }, () => desk.enter(issuer, never, { comesBack: true }));
  clock.advance(minutes(5));
  const crowded = await desk.enter(issuer, never, { comesBack: true });
  assert.deepEqual(crowded, { kind: 'crowded', until: after(clock.now(), minutes(1)), spread: minutes(1) });
  const patient = desk.enter(issuer, never);
  for (let ticket = first; waiting.length > 0; ) {
    ticket.leave({ kind: 'answered' });
    ticket = ticketOf(await (waiting.shift() as Promise<Entrance>));
    if (waiting.length === 0) ticket.leave({ kind: 'answered' });
  }
  assert.equal((await patient).kind, 'in', 'who cannot come back waits, however long the queue is');
});
