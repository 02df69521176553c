import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { Pool } from './pool.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';

const told = surroundings();
const pool = new Pool(told.root);

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly user: string;
  readonly command: string;
}

async function processes(): Promise<readonly Process[]> {
  const lines = (await pool.output(['ps', '-e', '-o', 'pid=,ppid=,user=,args='])).trim().split('\n');
  return lines.map((line) => {
    const [pid = '', parent = '', user = '', ...command] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), user, command: command.join(' ') };
  });
}

/** Inodes of all sockets of this network that are not of Unix. */
function networkSockets(): ReadonlySet<string> {
  const tables = ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'].map((name) => readFileSync(`/proc/net/${name}`, 'utf8'));
  return new Set(
    tables.flatMap((table) =>
      table
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.trim().split(/\s+/)[9] ?? ''),
    ),
  );
}

const socketsOf = (pid: number): readonly string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });

test('the credmon is root and holds no network socket; who does its network work, and who serves the login, are not root', async () => {
  const credmon = await until('the credmon runs', () => Number(pool.credential('pid')) || undefined);
  const all = await processes();
  assert.equal(all.find(({ pid }) => pid === credmon)?.user, 'root');
  const network = socketsOf(credmon).filter((inode) => networkSockets().has(inode));
  assert.deepEqual(network, []);
  const children = all.filter(({ parent }) => parent === credmon);
  assert.deepEqual(
    children.map(({ user }) => user),
    ['nobody'],
    'one process for the network',
  );
  const web = all.filter(({ command }) => / credmon web$/.test(command));
  assert.deepEqual(
    web.map(({ user }) => user),
    ['condor'],
  );
  for (const { pid } of [...children, ...web]) {
    const capabilities = /^CapEff:\s*(\S+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    assert.equal(Number.parseInt(capabilities ?? 'f', 16), 0, `process ${pid} has no rights of root`);
  }
});
