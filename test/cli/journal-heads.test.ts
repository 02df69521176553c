import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { JournalHeads } from '../../src/cli/journal-heads.ts';
import type { OwnIssuers } from '../../src/mint/own-issuers.ts';
import type { Logger } from '../../src/observe/log.ts';
import { hours, minutes } from '../../src/token/time.ts';
import { TestClock } from '../../src/world/test-clock.ts';

function journal(seqs: () => number) {
  const lines: string[] = [];
  const log = {
    event: (name: string, { chain = '', lines: seq = 0 }: { chain?: string; lines?: number }) =>
      void lines.push(`${name} ${chain} ${seq}`),
  } as unknown as Logger;
  const heads: OwnIssuers['heads'] = async () => {
    const seq = seqs();
    if (seq < 0) throw new Error('the disk is gone');
    return [{ directory: '/issuer', chain: 'node', seq, hash: 'ab' }];
  };
  const clock = new TestClock();
  const heard = new JournalHeads({ heads } as OwnIssuers, clock, log);
  return { lines, clock, heard };
}

test('the end of an audit log goes to the journal once an hour, if it grew, and once more at the end', async () => {
  let seq = 1;
  const { lines, clock, heard } = journal(() => seq);
  const turn = async () => {
    heard.turn();
    await setImmediate();
  };
  await turn();
  seq = 2;
  await clock.advance(minutes(59));
  await turn();
  assert.deepEqual(lines, ['audit-head node of /issuer 1']);
  await clock.advance(minutes(1));
  await turn();
  await clock.advance(hours(1));
  await turn();
  assert.deepEqual(lines.slice(1), ['audit-head node of /issuer 2']);
  seq = 3;
  await heard.end();
  assert.deepEqual(lines.slice(2), ['audit-head node of /issuer 3']);
});

test('a log that cannot be read is told of, and stops nothing', async () => {
  const { lines, heard } = journal(() => -1);
  heard.turn();
  await heard.end();
  assert.match(lines.join('\n'), /^unexpected-fault/);
});
