import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Upkeep } from '../../src/issue/upkeep.ts';
import { after, days, hours, millis, minutes } from '../../src/token/time.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { serverBed } from './server-bed.ts';

test('revocations are forgotten once what they revoke has ended, and never because the clock was set', async () => {
  await using bed = await serverBed();
  const clock = new TestClock();
  const upkeep = new Upkeep(bed.issuer.database, clock);
  const revoke = async (jti: string, until: number) =>
    await bed.issuer.database.write(async (session) => {
      await session.change('INSERT INTO issuer_revoked (jti, at, until) VALUES ($1, $2, $3)', [jti, 0, until]);
    });
  const revoked = async () => (await bed.issuer.database.read('SELECT jti FROM issuer_revoked ORDER BY jti')).length;
  const right = clock.now();
  await revoke('ended', right - minutes(11));
  await revoke('just ended', right + hours(1) - minutes(9));
  await revoke('living', right + hours(6));
  await upkeep.turn();
  assert.equal(await revoked(), 3, 'in the first turn nothing is known of the clocks');

  clock.set(after(right, days(400)));
  clock.advance(hours(1));
  await upkeep.turn();
  assert.equal(await revoked(), 3, 'the clock was set ahead');
  clock.set(after(right, millis(10)));
  await upkeep.turn();
  assert.equal(await revoked(), 3, 'it was set back');

  clock.advance(hours(1));
  clock.set(after(clock.now(), millis(2_000)));
  await upkeep.turn();
  assert.equal(await revoked(), 2, 'slewed by NTP, and good');
});
