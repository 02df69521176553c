import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { inTheWeather, issuerResult } from '../../src/renew/asked.ts';
import { admit, type GateState, type IssuerResult, left, openGate } from '../../src/renew/issuer-gate.ts';
import { after, days, type Epoch, hours, millis, minutes, seconds } from '../../src/token/time.ts';
import { noon } from './samples.ts';

const limits = { concurrency: 2, perSecond: 100 };
const down: IssuerResult = { kind: 'down', fault: new Fault('issuer-unreachable', 'away') };

/** As whoever was let through now, be it as the probe. */
function leave(state: GateState, result: IssuerResult, now: Epoch, chance: number): GateState {
  return left(state, { role: state.probing ? 'probe' : 'ordinary', at: now }, result, now, chance);
}

function entered(state: GateState, now: Epoch): GateState {
  const admission = admit(state, limits, now);
  assert.equal(admission.kind, 'go');
  return admission.kind === 'go' ? admission.state : state;
}

function failing(times: number, now: Epoch = noon): GateState {
  let state = openGate;
  for (let n = 0; n < times; n++) state = leave(entered(state, now), down, now, 0.5);
  return state;
}

test('no more requests are under way than the limit', () => {
  const full = entered(entered(openGate, noon), noon);
  assert.equal(admit(full, limits, noon).kind, 'full');
  assert.equal(admit(leave(full, { kind: 'answered' }, noon, 0), limits, noon).kind, 'go');
});

test('five failures in a row open the circuit; an answer in between starts the count anew', () => {
  assert.equal(failing(4).circuit.kind, 'closed');
  assert.equal(failing(5).circuit.kind, 'open');
  const between = leave(entered(failing(4), noon), { kind: 'answered' }, noon, 0);
  assert.equal(leave(entered(between, noon), down, noon, 0).circuit.kind, 'closed');
});

test('scenario 24: an open circuit lets a single probe through, when its time has come', () => {
  const open = failing(5);
  assert.equal(admit(open, limits, noon).kind, 'closed');
  const later = after(noon, seconds(5));
  const probing = entered(open, later);
  assert.equal(admit(probing, limits, later).kind, 'full', 'the others wait for what the probe finds');
  assert.deepEqual(leave(probing, { kind: 'answered' }, later, 0), openGate);
});

test('scenario 25: the probes of a dead issuer grow apart to five minutes, and stay there', () => {
  let state = failing(5);
  let now: Epoch = noon;
  const pauses: number[] = [];
  for (let n = 0; n < 10; n++) {
    const at = state.circuit.kind === 'open' ? state.circuit.probeAt : now;
    pauses.push((at - now) / 1000);
    now = at;
    state = leave(entered(state, now), down, now, 1);
  }
  assert.deepEqual(pauses.slice(1), [10, 20, 40, 80, 160, 300, 300, 300, 300]);
});

test('scenario 23: a Retry-After holds everybody back, and does not count as the issuer being down', () => {
  const busy = leave(entered(openGate, noon), { kind: 'overloaded', retryAfter: after(noon, minutes(3)) }, noon, 0);
  assert.deepEqual(admit(busy, limits, after(noon, minutes(2))), {
    kind: 'closed',
    until: after(noon, minutes(3)),
    spread: seconds(45),
  });
  assert.equal(admit(busy, limits, after(noon, minutes(3))).kind, 'go');
});

test('scenario 19: a probe that hangs in the future because the clock was set back is not waited for', () => {
  const open = failing(5, after(noon, days(1)));
  assert.equal(admit(open, limits, noon).kind, 'go');
});

test('scenario 23: a Retry-After of ten years is not believed', () => {
  const result: IssuerResult = { kind: 'overloaded', retryAfter: after(noon, days(3650)) };
  const busy = leave(entered(openGate, noon), result, noon, 0);
  assert.equal(admit(busy, limits, after(noon, hours(1))).kind, 'closed');
  assert.equal(admit(busy, limits, after(noon, hours(25))).kind, 'go');
});

test('a straggler from before the circuit opened does not put the probe off', () => {
  const open = failing(5);
  const straggler = { role: 'ordinary', at: after(noon, millis(-10)) } as const;
  assert.deepEqual(left({ ...open, inFlight: 1 }, straggler, down, after(noon, millis(10)), 0.9).circuit, open.circuit);
  const probing = entered(open, after(noon, seconds(5)));
  assert.equal(left(probing, straggler, down, after(noon, seconds(5)), 0.9).probing, true);
  assert.equal(left(probing, straggler, { kind: 'unused' }, after(noon, seconds(5)), 0.9).probing, true);
});

test('scenario 23: an answer to a request from before the quiet does not end it', () => {
  const early = { role: 'ordinary', at: noon } as const;
  const two = entered(entered(openGate, noon), noon);
  const later = after(noon, seconds(1));
  const quiet = left(two, early, { kind: 'overloaded', retryAfter: after(noon, minutes(3)) }, later, 0);
  assert.equal(left(quiet, early, { kind: 'answered' }, after(noon, seconds(2)), 0).notBefore, after(noon, minutes(3)));
  const asked = { role: 'ordinary', at: after(noon, minutes(3)) } as const;
  assert.equal(left(quiet, asked, { kind: 'answered' }, after(noon, minutes(3)), 0).notBefore, null);
});

test('scenario 23: half-way to the end of a token one request goes even into a longer quiet', () => {
  const result: IssuerResult = { kind: 'overloaded', retryAfter: after(noon, hours(3)) };
  const busy = leave(entered(openGate, noon), result, noon, 0);
  const ends = after(noon, hours(1));
  assert.deepEqual(admit(busy, limits, noon, ends), {
    kind: 'closed',
    until: after(noon, minutes(30)),
    spread: minutes(1),
  });
  assert.equal(admit(busy, limits, after(noon, minutes(30)), ends).kind, 'go');
  assert.equal(admit(busy, limits, after(noon, minutes(30)), after(noon, hours(4))).kind, 'closed');
});

test('scenario 25: a 503 that does not say when counts as down, so that the circuit opens; one that does holds back only until then', () => {
  const fault = new Fault('issuer-overloaded', 'busy');
  assert.equal(issuerResult({ kind: 'later', fault, retryAfter: undefined }).kind, 'down');
  assert.equal(issuerResult({ kind: 'later', fault, retryAfter: noon }).kind, 'overloaded');
});

test('scenario 10: whoever carried the probe waits for the circuit like all others; an unknown outcome keeps its own pause', () => {
  const open = failing(5);
  const failed = { kind: 'failed', fault: new Fault('issuer-unreachable', 'away'), retryAfter: undefined } as const;
  assert.equal(inTheWeather(failed, open).kind, 'waits');
  assert.equal(inTheWeather(failed, openGate).kind, 'failed');
  assert.equal(inTheWeather({ ...failed, fault: new Fault('outcome-unknown', '?') }, open).kind, 'failed');
});
