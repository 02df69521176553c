import assert from 'node:assert/strict';
import { chmodSync, chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { delivererOf } from '../../src/deliver/deliverers.ts';
import { Fault } from '../../src/fault/fault.ts';
import { accessToken, fileTarget, isRoot, scratch, worldWith } from './testing.ts';

const nobody = 65_534;
const deliverAs = (path: string, uid: number, more = {}) => {
  const target = fileTarget(path, more);
  return delivererOf(target).deliver(target, accessToken('token'), worldWith({ user: { uid, gid: uid } }));
};

async function asNobody(work: () => Promise<void>): Promise<void> {
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

function directoryOf(t: TestContext, uid: number): string {
  const directory = scratch(t);
  chownSync(directory, uid, uid);
  chmodSync(directory, 0o755);
  return directory;
}

if (isRoot) {
  test('without the right to give files away a foreign owner is refused, with what to do', async (t) => {
    const directory = directoryOf(t, nobody);
    await asNobody(async () => {
      await assert.rejects(deliverAs(join(directory, 'a.token'), nobody, { owner: 'root' }), (fault) => {
        assert.ok(fault instanceof Fault);
        assert.equal(fault.code, 'target-refused');
        assert.match(fault.message, /may not give the file to user 0/);
        assert.match(fault.hint ?? '', /CAP_CHOWN/);
        return true;
      });
    });
    assert.deepEqual(readdirSync(directory), []);
  });

  test('with existing: keep a file of somebody else that we may write is overwritten, not replaced', async (t) => {
    const directory = directoryOf(t, nobody);
    const path = join(directory, 'a.token');
    writeFileSync(path, 'old and longer than the new one');
    chownSync(path, 0, nobody);
    chmodSync(path, 0o660);
    const { ino } = statSync(path);
    await asNobody(() => deliverAs(path, nobody, { existing: 'keep' }));
    assert.equal(readFileSync(path, 'utf8'), 'token\n');
    const after = statSync(path);
    assert.deepEqual([after.ino, after.uid, after.mode & 0o777], [ino, 0, 0o660]);
    assert.deepEqual(readdirSync(directory), ['a.token']);
  });

  test('a directory in which we may not write is refused, and so says the sentence', async (t) => {
    const directory = directoryOf(t, 0);
    await asNobody(async () => {
      await assert.rejects(
        deliverAs(join(directory, 'a.token'), nobody),
        (fault) => fault instanceof Fault && fault.code === 'target-refused' && /EACCES/.test(fault.message),
      );
    });
  });
}

test('a directory that is not ours is said to be a matter for a person', async (t) => {
  if (isRoot) t.diagnostic('root: the tests above cover it with the rights of nobody');
  else await assert.rejects(deliverAs('/etc/a.token', process.geteuid?.() ?? -1), /EACCES/);
});
