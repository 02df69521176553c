import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { after, hours, type Millis, minutes } from '../../src/token/time.ts';
import { hostileIssuer, json } from '../peers/hostile-issuer.ts';
import { ModelIssuer } from './model-issuer.ts';
import { PacedClock } from './paced-clock.ts';
import { oneLogin, setting } from './setting.ts';

const troubles = {
  outage: json(500, 'down'),
  busy: json(429, {}, { 'retry-after': '120' }),
  refusal: json(400, { error: 'invalid_grant' }),
} as const;

const step = fc.oneof(
  fc.record({ do: fc.constantFrom('outage', 'busy', 'refusal', 'lost-answer', 'broken-rest', 'restart', 'pass') }),
  fc.record({ do: fc.constant('wait' as const), length: fc.integer({ min: 1, max: 120 }).map(minutes) }),
  fc.record({ do: fc.constant('jump' as const), length: fc.integer({ min: -48, max: 48 }).map(hours) }),
);
type Trouble = { readonly do: string; readonly length?: Millis };

async function survive(steps: readonly Trouble[]): Promise<void> {
  const clock = new PacedClock();
  await using issuer = await hostileIssuer();
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  const config = oneLogin(issuer.issuer);
  let here = await setting({ config, world: { clock } });
  await here.logIn('robot', 'robot-1');
  await here.pass();
  for (const { do: what, length = minutes(1) } of [...steps, { do: 'calm' }]) {
    const before = await here.wish('monitoring');
    model.trouble = troubles[what as keyof typeof troubles];
    model.losesAnswers = what === 'lost-answer' ? 1 : 0;
    model.breaksRest = what === 'broken-rest';
    if (what === 'wait') clock.advance(length);
    if (what === 'jump') clock.set(after(clock.now(), length));
    if (what === 'calm') clock.advance(hours(2));
    if (what === 'restart') {
      await here.close();
      here = await setting({ config, dir: here.dir, world: { clock } });
    }
    await here.pass(what === 'pass' || what === 'wait' || what === 'jump' ? 'pass' : 'forced');
    const now = await here.wish('monitoring');
    const file = await here.delivered('token');
    assert.match(file ?? '', /^token-\d+$/, 'a whole token');
    if (before.token !== null && now.token !== null && before.token.issuedAt <= clock.now()) {
      const wasAlive = before.token.expiresAt > clock.now();
      assert.ok(!wasAlive || now.token.expiresAt >= before.token.expiresAt, 'a shorter life replaced a longer one');
    }
  }
  const account = await here.account('robot');
  const usable = (await here.refreshToken('robot')) === model.current('robot') && account.intent === null;
  assert.ok(usable || account.trouble !== null, 'neither a usable login nor a word about it');
  assert.deepEqual(model.violations, []);
  await here[Symbol.asyncDispose]();
}

test('property: whatever happens, afterwards there is a usable login or a record that says why not, and no old refresh token came back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), (steps) => survive(steps)),
    { numRuns: 15 },
  );
});
