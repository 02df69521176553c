import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { JournalHeads } from '../../src/cli/journal-heads.ts';
import { type OwnIssuers, ownIssuers } from '../../src/mint/own-issuers.ts';
import type { Logger } from '../../src/observe/log.ts';
import { hours, minutes } from '../../src/token/time.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import { createIssuer, deps, freshDirectory, newIssuer, stoppedWorld } from '../mint/issuer-bed.ts';

function journal(seqs: () => number) {
  const lines: string[] = [];
  const log = {
    event: (name: string, { chain, directory, lines: seq }: { chain?: string; directory?: string; lines?: number }) =>
      void lines.push(name === 'audit-head' ? `${name} ${chain} of ${directory} ${seq}` : name),
  } as unknown as Logger;
  const heads: OwnIssuers['heads'] = async () => {
    const seq = seqs();
    if (seq < 0) return { heads: [], failed: [{ directory: '/issuer', thrown: new Error('the disk is gone') }] };
    return { heads: [{ directory: '/issuer', chain: 'node', seq, hash: 'ab' }], failed: [] };
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

test('a log that cannot be read is told of, not at every turn, and stops nothing', async () => {
  const { lines, heard } = journal(() => -1);
  for (let turn = 0; turn < 3; turn += 1) {
    heard.turn();
    await setImmediate();
  }
  assert.deepEqual(lines, ['unexpected-fault']);
  await heard.end();
  assert.deepEqual(lines, ['unexpected-fault', 'unexpected-fault']);
});

test('where one issuer cannot be read the journal says so, and where the logs of the others end', async () => {
  const world = stoppedWorld();
  const directories = [freshDirectory(), freshDirectory(), freshDirectory()] as const;
  for (const directory of directories) await (await createIssuer(world, directory, newIssuer(), deps)).close();
  const issuers = ownIssuers(world, deps);
  for (const directory of directories) await issuers.at(directory);
  const [one, broken, other] = directories;
  await (await issuers.at(broken)).close();
  const lines: string[] = [];
  const log = {
    event: (name: string, facts: { directory?: string; doing?: string }) =>
      void lines.push(`${name}: ${facts.directory ?? facts.doing}`),
  } as unknown as Logger;
  await new JournalHeads(issuers, world.clock, log).end();
  const failed = `unexpected-fault: reading where the audit log of the issuer in ${broken} ends`;
  assert.deepEqual(lines, [`audit-head: ${one}`, `audit-head: ${other}`, failed]);
  await issuers.close();
});

test('a daemon that signed says at its end where the audit log ends', async () => {
  const base = mkdtempSync(join(tmpdir(), 'tokeep-heads-'));
  try {
    const account = `{ grant: signing_key, issuer: https://a.example.org, keys: ${base}/state/issuers/default }`;
    const token = '{ account: vo, subject: pilot-1, audience: ce.example.org:9619, scope: [compute.read] }';
    writeFileSync(`${base}/config.yaml`, `accounts: { vo: ${account} }\ntokens: { pilot: ${token} }\n`);
    const main = join(import.meta.dirname, '../../src/cli/main.ts');
    const own = { STATE_DIRECTORY: `${base}/state`, CONFIGURATION_DIRECTORY: `${base}/etc` };
    const env = { PATH: process.env['PATH'], ...own, TOKEEP_CONFIG: `${base}/config.yaml` };
    spawnSync(process.execPath, [main, 'issuer', 'init', '--issuer', 'https://a.example.org'], { env });
    const child = spawn(process.execPath, [main, 'run'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (part) => {
      said += part;
      if (said.includes('token-renewed') && !child.killed) child.kill('SIGTERM');
    });
    const [status] = await once(child, 'close');
    assert.equal(status, 0, said);
    assert.match(
      said,
      /audit-head: the audit log \S+ of the issuer in \S+issuers\/default ends with line 2, .*stopped/s,
    );
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
