import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { NotifyRule } from '../../src/config/config.ts';
import { type Condition, stages } from '../../src/observe/condition.ts';
import { messageOf } from '../../src/observe/message.ts';
import { mostPerHour, withSent } from '../../src/observe/notice-ledger.ts';
import { type PlannedMessage, planNotices } from '../../src/observe/notices.ts';
import type { NoticeRecord } from '../../src/store/records.ts';
import { after, type Epoch, hours, type Millis, millis, minutes } from '../../src/token/time.ts';
import { noon } from './samples.ts';

const rule = (name: string, only: readonly string[] = []): NotifyRule => ({
  name,
  channel: { kind: 'webhook', url: 'https://hook.example/x', form: 'json' },
  only,
});
const ops = rule('ops');

const condition = (name: string, more: Partial<Condition> = {}): Condition => ({
  key: `account:${name}:login`,
  subject: { kind: 'account', name },
  code: 'login-suspended',
  severity: 'warning',
  who: 'wait',
  sentence: `the login of ${name} is refused`,
  since: after(noon, minutes(-10)),
  nextTry: null,
  stage: 'suspended',
  ...more,
});

/** What is stored after all of these messages went out. */
function stored(
  said: readonly NoticeRecord[],
  messages: readonly PlannedMessage[],
  at: Epoch,
): readonly NoticeRecord[] {
  let next = new Map(said.map((record) => [`${record.channel} ${record.key}`, record]));
  for (const message of messages) {
    const sent = withSent([...next.values()], message.rule.name, at);
    next = new Map([...next, ...[...message.notices, sent].map((r) => [`${r.channel} ${r.key}`, r] as const)]);
  }
  return [...next.values()];
}

function drama(scenes: readonly (readonly [Millis, readonly Condition[]])[], rules = [ops]) {
  let said: readonly NoticeRecord[] = [];
  return scenes.map(([from, conditions]) => {
    const now = after(noon, from);
    const messages = planNotices(conditions, said, now, rules);
    said = stored(said, messages, now);
    return messages.map(({ changes }) => changes.map(({ kind }) => kind).join('+'));
  });
}

test('each change is told once: raised, worse, over', () => {
  const dead = condition('atlas', { stage: 'dead', severity: 'critical' });
  assert.deepEqual(
    drama([
      [minutes(0), [condition('atlas')]],
      [minutes(1), [condition('atlas')]],
      [minutes(2), [dead]],
      [hours(5), [dead]],
      [hours(6), []],
      [hours(8), []],
    ]),
    [['raised'], [], ['worse'], [], ['cleared'], []],
  );
});

test('what lasts less than two minutes is told only when it is critical', () => {
  const fresh = { since: after(noon, minutes(-1)) };
  assert.deepEqual(drama([[minutes(0), [condition('atlas', fresh)]]]), [[]]);
  assert.deepEqual(drama([[minutes(1), [condition('atlas', fresh)]]]), [['raised']]);
  assert.deepEqual(drama([[minutes(0), [condition('atlas', { ...fresh, severity: 'critical' })]]]), [['raised']]);
});

test('a cause is told at once when what follows from it is critical already', () => {
  const young = condition('atlas', { since: noon });
  const follower = condition('token', {
    key: 'wish:token:ran-out',
    severity: 'critical',
    since: noon,
    causedBy: young.key,
  });
  assert.deepEqual(drama([[minutes(0), [young, follower]]]), [['raised']]);
});

test('a condition that comes and goes is told of at most once an hour', () => {
  const scenes = Array.from({ length: 60 }, (_, n) => [minutes(n), n % 2 === 0 ? [condition('atlas')] : []] as const);
  assert.equal(drama(scenes).flat().length, 1);
});

test('more than three changes make one digest, and what follows from a cause is no message of its own', () => {
  const many = Array.from({ length: 500 }, (_, n) => condition(`a${n}`));
  assert.equal(drama([[minutes(0), many]])[0]?.length, 1);
  const root = condition('atlas');
  const followers = many.map((one) => ({ ...one, causedBy: root.key }));
  const [message, ...others] = planNotices([root, ...followers], [], noon, [ops]);
  assert.equal(others.length, 0);
  assert.equal(message?.changes.length, 1);
  const { text } = messageOf(message?.changes ?? [], 'ce1', noon);
  assert.match(text, /concerns a0, a1, a2, a3, a4 and 495 more/);
});

test('a condition that turns out to follow from another is not called over', () => {
  const root = condition('issuer', { key: 'issuer:x:down', severity: 'critical' });
  const own = condition('atlas');
  assert.deepEqual(
    drama([
      [minutes(0), [own]],
      [hours(2), [root, { ...own, causedBy: root.key }]],
    ]),
    [['raised'], ['raised']],
  );
});

test('a rule with names hears of what concerns them, whatever the cause is', () => {
  const dune = rule('dune', ['dune-*']);
  const root = condition('https://issuer.example', { key: 'issuer:x:down', subject: { kind: 'issuer', name: 'x' } });
  const follower = { ...condition('dune-1'), causedBy: root.key };
  assert.equal(planNotices([condition('atlas')], [], noon, [dune]).length, 0);
  assert.equal(planNotices([condition('dune-2')], [], noon, [dune]).length, 1);
  assert.equal(planNotices([root], [], noon, [dune]).length, 0);
  assert.equal(planNotices([root, follower], [], noon, [dune]).length, 1);
});

test('whatever happens, nothing is told twice and no channel gets more than ten messages in any hour', () => {
  const state = fc.record({
    name: fc.integer({ min: 0, max: 30 }),
    stage: fc.constantFrom(...stages),
    severity: fc.constantFrom('warning', 'critical', 'notice'),
  });
  const scene = fc.tuple(fc.integer({ min: 0, max: 900_000 }), fc.uniqueArray(state, { selector: ({ name }) => name }));
  fc.assert(
    fc.property(fc.array(scene, { maxLength: 60 }), (scenes) => {
      let said: readonly NoticeRecord[] = [];
      let now = noon;
      const sentAt: Epoch[] = [];
      const standing = new Map<string, string>();
      for (const [wait, states] of scenes) {
        now = after(now, millis(wait));
        const conditions = states.map(({ name, stage, severity }) =>
          condition(`a${name}`, { stage, severity: severity as 'warning', since: null }),
        );
        const messages = planNotices(conditions, said, now, [ops]);
        for (const message of messages) {
          sentAt.push(now);
          for (const change of message.changes) {
            const key = change.kind === 'cleared' ? change.key : change.condition.key;
            const stage = change.kind === 'cleared' ? 'over' : change.condition.stage;
            assert.notEqual(standing.get(key), stage, `${key} ${stage} told twice`);
            standing.set(key, stage);
          }
        }
        said = stored(said, messages, now);
        const lastHour = sentAt.filter((at) => now - at < hours(1));
        assert.ok(lastHour.length <= mostPerHour, `${lastHour.length} messages in an hour`);
      }
    }),
  );
});

test('what did not fit into the hour is told later', () => {
  const batches = Array.from({ length: 12 }, (_, n) =>
    Array.from({ length: n + 1 }, (_, m) => condition(`a${m}`, { since: null })),
  );
  const told = drama([...batches.map((batch, n) => [minutes(n), batch] as const), [hours(2), batches[11] ?? []]]);
  assert.equal(told.slice(0, 12).flat().length, 10);
  assert.deepEqual(told[12], ['raised', 'raised']);
});
