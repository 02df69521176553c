import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bucket, drawFrom, fullBucket } from '../../src/store/budget.ts';
import { epoch } from '../../src/token/time.ts';

const start = epoch(Date.UTC(2027, 0, 1));
const paces = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0.01, max: 30, noNaN: true }));
const steps = fc.array(fc.record({ pause: fc.integer({ min: 0, max: 400 }), want: fc.integer({ min: 0, max: 200 }) }));

test('no second, wherever it begins, brings more than the limit', () => {
  fc.assert(
    fc.property(paces, steps, (perSecond, draws) => {
      const granted: number[] = [];
      let bucket: Bucket = fullBucket(perSecond, start);
      let now = start;
      for (const { pause, want } of draws) {
        now = epoch(now + pause);
        const drawn = drawFrom(bucket, want, perSecond, now);
        bucket = drawn;
        for (let one = 0; one < drawn.granted; one++) granted.push(now);
      }
      for (const [from, first] of granted.entries()) {
        const inSecond = granted.slice(from).filter((at) => at < first + 1_000).length;
        assert.ok(inSecond <= Math.ceil(perSecond), `${inSecond} in a second of ${perSecond}`);
      }
    }),
  );
});

test('who comes back when told gets one', () => {
  fc.assert(
    fc.property(paces, fc.nat(1_000), (perSecond, want) => {
      const drawn = drawFrom(fullBucket(perSecond, start), want, perSecond, start);
      assert.ok(drawFrom(drawn, 1, perSecond, drawn.nextAt).granted === 1);
    }),
  );
});

test('a limit of a hundred a second lets more than ninety through, second after second', () => {
  let bucket = fullBucket(100, start);
  let granted = 0;
  for (let at = 0; at < 10_000; at += 10) {
    const drawn = drawFrom(bucket, 10, 100, epoch(start + at));
    bucket = drawn;
    granted += drawn.granted;
  }
  assert.ok(granted > 900 && granted <= 1_000, `${granted} in ten seconds`);
});

test('clocks of nodes that differ a little do not fill the bucket faster, and one set back does not empty it for long', () => {
  let bucket = fullBucket(100, start);
  let granted = 0;
  for (let at = 0; at < 1_000; at += 10) {
    for (const ahead of [0, 800]) {
      const drawn = drawFrom(bucket, 10, 100, epoch(start + at + ahead));
      bucket = drawn;
      granted += drawn.granted;
    }
  }
  assert.ok(granted <= 100 + 80, `${granted} in a second`);
  const back = drawFrom(bucket, 10, 100, epoch(start - 3_600_000));
  assert.equal(drawFrom(back, 10, 100, epoch(start - 3_600_000 + 200)).granted, 10);
});
