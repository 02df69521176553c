import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { UseTarget } from '../../src/config/config.ts';
import { useDeliverer } from '../../src/deliver/use-target.ts';
import { Fault } from '../../src/fault/fault.ts';
import type { TokenFacts } from '../../src/store/records.ts';
import { after, epoch, seconds } from '../../src/token/time.ts';
import type { Directory } from '../../src/world/files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import type { World } from '../../src/world/world.ts';
import { accessToken, isRoot, scratch, worldWith } from './testing.ts';

const condor = 65_534;
const token = accessToken('eyJhbGciOiJFUzI1NiJ9.e30.c2ln');
const now = epoch(Date.UTC(2026, 10, 22));
const clock = new TestClock(now);
const world = worldWith({ clock });
const facts: TokenFacts = {
  fingerprint: token.fingerprint,
  audience: [],
  scope: ['read:/', 'write:/x'],
  issuedAt: now,
  expiresAt: after(now, seconds(1199.9)),
  lifeFrom: 'exp',
};

/** A credential directory with the directory of alice, as HTCondor makes them. */
function aliceIn(t: TestContext, more: Partial<UseTarget> = {}): UseTarget {
  const directory = scratch(t);
  mkdirSync(`${directory}/alice`, { mode: 0o700 });
  chmodSync(directory, 0o2770);
  chmodSync(`${directory}/alice`, 0o2700);
  const target = { directory, user: 'alice', name: 'scitokens', form: 'json', mode: 0o400, ...more } as const;
  return { kind: 'use', id: `use:${target.user}/${target.name}`, ...target };
}
const useOf = ({ directory, user, name }: UseTarget) => `${directory}/${user}/${name}.use`;
const filesOf = ({ directory, user }: UseTarget) => readdirSync(`${directory}/${user}`);
const rejected = (work: Promise<void>, code: string, message: RegExp) =>
  assert.rejects(work, (fault) => {
    assert.ok(fault instanceof Fault);
    assert.equal(fault.code, code);
    assert.match(fault.message, message);
    return true;
  });

test('a job gets the token as JSON, as the shipped credmons write it, with the life that is left in seconds', async (t) => {
  const target = aliceIn(t);
  await useDeliverer.deliver(target, token, world, facts);
  assert.deepEqual(JSON.parse(readFileSync(useOf(target), 'utf8')), {
    access_token: token.reveal(),
    token_type: 'bearer',
    expires_in: 1199,
    expires_at: Date.UTC(2026, 10, 22) / 1000 + 1199,
    scope: 'read:/ write:/x',
  });
  assert.deepEqual(filesOf(target), ['scitokens.use']);
});

test('a token that ran out has no life left, and one of unknown life says nothing of it', async (t) => {
  const target = aliceIn(t);
  await useDeliverer.deliver(target, token, world, { ...facts, scope: [], expiresAt: epoch(0) });
  assert.equal(JSON.parse(readFileSync(useOf(target), 'utf8')).expires_in, 0);
  await useDeliverer.deliver(target, accessToken('opaque'), world);
  assert.equal(readFileSync(useOf(target), 'utf8'), '{"access_token":"opaque","token_type":"bearer"}');
});

test('as text it is the token and a line end', async (t) => {
  const target = aliceIn(t, { form: 'text' });
  await useDeliverer.deliver(target, token, world, facts);
  assert.equal(readFileSync(useOf(target), 'utf8'), `${token.reveal()}\n`);
});

test('the shadow takes it with and without TRUST_CREDENTIAL_DIRECTORY: 0400 and ours, whatever lay there and whatever the umask', async (t) => {
  const target = aliceIn(t);
  const umask = process.umask(0o277);
  t.after(() => process.umask(umask));
  for (const old of [undefined, 0o400, 0o600, 0o644]) {
    rmSync(useOf(target), { force: true });
    if (old !== undefined) {
      writeFileSync(useOf(target), 'old');
      chmodSync(useOf(target), old);
      if (isRoot) chownSync(useOf(target), 0, condor);
    }
    await useDeliverer.deliver(target, token, world, facts);
    const { mode, uid } = statSync(useOf(target));
    assert.deepEqual([mode & 0o7777, uid], [0o400, process.geteuid?.()]);
  }
});

test('does the token still lie there: by time of change or by content, in both forms', async (t) => {
  for (const form of ['json', 'text'] as const) {
    const target = aliceIn(t, { form, name: form });
    const delivered = { fingerprint: token.fingerprint, at: null };
    assert.equal(await useDeliverer.check(target, delivered, world), 'gone');
    await useDeliverer.deliver(target, token, world, facts);
    assert.equal(await useDeliverer.check(target, delivered, world), 'there');
    await useDeliverer.deliver(target, accessToken('another'), world, facts);
    assert.equal(await useDeliverer.check(target, delivered, world), 'gone');
    rmSync(useOf(target));
    writeFileSync(useOf(target), '{"access_token":7}');
    assert.equal(await useDeliverer.check(target, delivered, world), 'gone');
    rmSync(`${target.directory}/alice`, { recursive: true });
    assert.equal(await useDeliverer.check(target, delivered, world), 'gone');
  }
});

test('the directory of a user who was swept is not made anew, and the sentence says so', async (t) => {
  const target = aliceIn(t);
  rmSync(`${target.directory}/alice`, { recursive: true });
  await rejected(
    useDeliverer.deliver(target, token, world, facts),
    'target-failed',
    /directory of user alice is gone$/,
  );
  assert.deepEqual(readdirSync(target.directory), []);
  await useDeliverer.withdraw(target, world);
});

test('a user who is swept between any two steps of a delivery leaves nothing behind', async (t) => {
  for (const step of ['createExclusive', 'rename', 'sync'] as const) {
    const target = aliceIn(t);
    const sweep = () => rmSync(`${target.directory}/alice`, { recursive: true });
    const swept = worldWith({ clock, files: sweeping(step, sweep) });
    await useDeliverer.deliver(target, token, swept, facts).catch((fault) => {
      assert.match((fault as Fault).message, /directory of user alice is gone/, step);
    });
    assert.deepEqual(readdirSync(target.directory), [], step);
  }
});

/** Files where something happens right before a step in a user's directory. */
function sweeping(step: 'createExclusive' | 'rename' | 'sync', sweep: () => void): World['files'] {
  const below = (directory: Directory): Directory => ({
    ...directory,
    openDirectory: async (name, use) => below(await directory.openDirectory(name, use)),
    [step]: async (...args: never[]) => {
      sweep();
      return await (directory[step] as (...args: never[]) => Promise<unknown>)(...args);
    },
  });
  return { ...realFiles, openDirectory: async (path, use) => below(await realFiles.openDirectory(path, use)) };
}

test('FIL-03: a link, a directory, a second hard link in the way is refused and left as it is', async (t) => {
  const target = aliceIn(t);
  const outside = scratch(t);
  writeFileSync(`${outside}/secret`, 'of somebody');
  const ways: readonly (readonly [RegExp, () => void])[] = [
    [/is a symbolic link/, () => symlinkSync(`${outside}/secret`, useOf(target))],
    [/is a directory/, () => mkdirSync(useOf(target))],
    [/has 2 hard links/, () => linkSync(`${outside}/secret`, useOf(target))],
  ];
  for (const [message, put] of ways) {
    put();
    await rejected(useDeliverer.deliver(target, token, world, facts), 'target-refused', message);
    await rejected(useDeliverer.withdraw(target, world), 'target-refused', message);
    assert.equal(readFileSync(`${outside}/secret`, 'utf8'), 'of somebody');
    rmSync(useOf(target), { recursive: true });
  }
});

test('FIL-03: a user directory that is a link is not gone through', async (t) => {
  const target = aliceIn(t);
  const outside = scratch(t);
  renameSync(`${target.directory}/alice`, `${target.directory}/bob`);
  symlinkSync(outside, `${target.directory}/alice`);
  await rejected(useDeliverer.deliver(target, token, world, facts), 'target-refused', /not written to .*ENOTDIR/);
  assert.deepEqual(readdirSync(outside), []);
});

test('what is withdrawn is gone, and may be gone before', async (t) => {
  const target = aliceIn(t);
  await useDeliverer.deliver(target, token, world, facts);
  await useDeliverer.withdraw(target, world);
  await useDeliverer.withdraw(target, world);
  assert.deepEqual(filesOf(target), []);
});

if (isRoot) {
  /** As the credmon of a pool that runs as condor, or as a user. */
  async function asCondor(work: () => Promise<void>): Promise<void> {
    process.setegid?.(condor);
    process.seteuid?.(condor);
    try {
      await work();
    } finally {
      process.seteuid?.(0);
      process.setegid?.(0);
    }
  }

  test('root writes as root into the directory of condor, and replaces what the web login left there', async (t) => {
    const target = aliceIn(t);
    chownSync(target.directory, 0, condor);
    chownSync(`${target.directory}/alice`, condor, condor);
    chmodSync(`${target.directory}/alice`, 0o2700);
    writeFileSync(useOf(target), '{}', { mode: 0o400 });
    chownSync(useOf(target), condor, condor);
    await useDeliverer.deliver(target, token, world, facts);
    const { mode, uid } = statSync(useOf(target));
    assert.deepEqual([mode & 0o7777, uid], [0o400, 0]);
  });

  test('condor writes as condor, into the directories of condor only', async (t) => {
    const target = aliceIn(t);
    chownSync(target.directory, condor, condor);
    chownSync(`${target.directory}/alice`, condor, condor);
    const ours = worldWith({ clock, user: { uid: condor, gid: condor } });
    await asCondor(async () => await useDeliverer.deliver(target, token, ours, facts));
    assert.deepEqual([statSync(useOf(target)).uid, statSync(useOf(target)).mode & 0o7777], [condor, 0o400]);
    chownSync(`${target.directory}/alice`, 0, 0);
    await asCondor(async () => {
      await rejected(useDeliverer.deliver(target, token, ours, facts), 'target-refused', /EACCES/);
    });
  });

  test('the file of a stranger is not replaced', async (t) => {
    const target = aliceIn(t);
    writeFileSync(useOf(target), 'theirs');
    chownSync(useOf(target), 4711, 4711);
    await rejected(useDeliverer.deliver(target, token, world, facts), 'target-refused', /belongs to user 4711/);
  });
}
