import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { whenAborted } from '../../src/world/when-aborted.ts';

test('all who wait under a signal share one listener, and each is stopped once', () => {
  const control = new AbortController();
  const stopped: number[] = [];
  for (let one = 0; one < 1_000; one++) whenAborted(control.signal, () => stopped.push(one));
  assert.equal(getEventListeners(control.signal, 'abort').length, 1);
  control.abort();
  assert.deepEqual(
    stopped,
    Array.from({ length: 1_000 }, (_, one) => one),
  );
});

test('who has ended is not stopped any more, and neither is its like', () => {
  const control = new AbortController();
  let stopped = 0;
  const stop = () => {
    stopped += 1;
  };
  const forget = whenAborted(control.signal, stop);
  whenAborted(control.signal, stop);
  forget();
  forget();
  control.abort();
  assert.equal(stopped, 1);
});

test('what ends because another was stopped may forget the signal meanwhile', () => {
  const control = new AbortController();
  const order: string[] = [];
  whenAborted(control.signal, () => {
    order.push('first');
    forgetSecond();
  });
  const forgetSecond = whenAborted(control.signal, () => order.push('second'));
  control.abort();
  assert.deepEqual(order, ['first']);
});
