import type { Epoch } from '../token/time.ts';
import type { Condition } from './condition.ts';
import type { Change } from './notices.ts';
import { counted, printable, timestamp } from './printable.ts';
import { conditionJson } from './status-json.ts';

/** A message in every form a channel may want. Never holds a secret: it is made of conditions only. */
export interface Message {
  readonly subject: string;
  readonly text: string;
  /** The body of a JSON webhook, and the input of a notify command; keys in docs/monitoring.md. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** Listed in one digest; the rest is counted. */
const listed = 25;

export function messageOf(changes: readonly Change[], host: string, at: Epoch): Message {
  const parts = changes.slice(0, listed).map(partOf);
  const more = changes.length - parts.length;
  const lines = [...parts, ...(more > 0 ? [`... and ${more} more: tokeep status`] : [])];
  return {
    subject: printable(`tokeep on ${host}: ${headline(changes)}`).slice(0, 150),
    text: `${lines.join('\n\n')}\n\n-- \ntokeep on ${printable(host)}, ${timestamp(at)}\n`,
    json: { version: 1, host, at: timestamp(at), test: false, changes: changes.map(changeJson) },
  };
}

/** What `tokeep notify test` sends. */
export function testMessage(rule: string, host: string, at: Epoch): Message {
  const sentence = `this is a test of the rule ${printable(rule)}; nothing is wrong`;
  return {
    subject: printable(`tokeep on ${host}: test message`),
    text: `${sentence}\n\n-- \ntokeep on ${printable(host)}, ${timestamp(at)}\n`,
    json: { version: 1, host, at: timestamp(at), test: true, changes: [] },
  };
}

function headline(changes: readonly Change[]): string {
  const [only] = changes;
  if (changes.length === 1 && only !== undefined) {
    return only.kind === 'cleared' ? `over: ${only.key}` : only.condition.sentence;
  }
  const critical = changes.filter((change) => change.kind !== 'cleared' && change.condition.severity === 'critical');
  const over = changes.filter(({ kind }) => kind === 'cleared');
  return `${counted(changes.length, 'change')}, ${critical.length} critical, ${over.length} over`;
}

const turns: Readonly<Record<Condition['who'], string>> = {
  user: 'whose turn: somebody with this login',
  operator: 'whose turn: who runs this machine',
  issuer: 'whose turn: the issuer',
  wait: "whose turn: nobody's, it is tried again",
  bug: "whose turn: tokeep's, please report it",
};

function partOf(change: Change): string {
  if (change.kind === 'cleared') return `over: ${printable(change.key)} (told at ${timestamp(change.told)})`;
  const { condition, concerns } = change;
  const names = concerns.slice(0, 5).join(', ') + (concerns.length > 5 ? ` and ${concerns.length - 5} more` : '');
  return [
    `${condition.severity}: ${printable(condition.sentence)}`,
    `  ${turns[condition.who]}`,
    ...(condition.hint === undefined ? [] : [`  what to do: ${printable(condition.hint)}`]),
    ...(condition.since === null ? [] : [`  since ${timestamp(condition.since)}`]),
    ...(condition.nextTry === null ? [] : [`  next try ${timestamp(condition.nextTry)}`]),
    ...(concerns.length === 0 ? [] : [`  concerns ${printable(names)}`]),
  ].join('\n');
}

function changeJson(change: Change) {
  if (change.kind === 'cleared') {
    return { kind: change.kind, key: change.key, stage: change.stage, told: timestamp(change.told) };
  }
  return { kind: change.kind, ...conditionJson(change.condition), concerns: change.concerns };
}
