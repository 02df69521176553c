import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { openCredentialDirectory } from '../../src/condor/directory.ts';
import { minutes, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { TestClock } from '../../src/world/test-clock.ts';
import type { Watches } from '../../src/world/watches.ts';
import type { World } from '../../src/world/world.ts';
import { credentialDirectory, put } from './directory-place.ts';

/** A watched directory with alice and bob in it, and what was told since the last look. */
async function watched(t: TestContext, more: Partial<World> = {}) {
  const path = credentialDirectory(t);
  const clock = new TestClock();
  put(path, 'alice', 'a.top', 'r1');
  put(path, 'bob', 'b.top', 'r1');
  const directory = openCredentialDirectory({ ...realWorld(), clock, ...more }, path, { specialNames: false });
  await directory.begin(process.pid);
  const told: string[] = [];
  let hear = () => {};
  const watch = await directory.watch(({ users }) => {
    told.push([...users].sort().join(' '));
    hear();
  });
  t.after(() => watch[Symbol.asyncDispose]());
  /** The users told of until now; one change may be told more than once. */
  const settled = async () => {
    await directory.settle();
    const users = [...new Set(told.splice(0).flatMap((users) => users.split(' ')))];
    return users.sort().join(' ');
  };
  const heard = () => new Promise<void>((resolve) => (hear = resolve));
  return { path, directory, settled, heard, told, clock };
}

test('what condor_credd writes is told when its signal is there, for that user and nobody else', async (t) => {
  const { path, settled } = await watched(t);
  assert.equal(await settled(), '');
  put(path, 'alice', 'a.top', 'r2');
  assert.equal(await settled(), 'alice');
  assert.equal(await settled(), '');
  put(path, 'alice', 'new.top', 'r1');
  put(path, 'bob', 'b.meta', '{}');
  assert.equal(await settled(), 'alice bob');
});

test('a new user is told, and what comes into the new directory afterwards, however fast', async (t) => {
  const { path, settled } = await watched(t);
  put(path, 'carol', 'c.top', 'r1');
  assert.equal(await settled(), 'carol');
  put(path, 'carol', 'c.top', 'r2');
  assert.equal(await settled(), 'carol');
  mkdirSync(`${path}/dave`);
  assert.equal(await settled(), 'dave');
  put(path, 'dave', 'd.top', 'r1');
  assert.equal(await settled(), 'dave');
});

test('a user who is swept is told, and again when the directory is made anew, whose changes are told as well', async (t) => {
  const { path, settled, directory } = await watched(t);
  rmSync(`${path}/alice`, { recursive: true });
  assert.equal(await settled(), 'alice');
  assert.deepEqual(await directory.scanUser('alice'), []);
  for (let round = 0; round < 5; round += 1) {
    put(path, 'alice', 'a.top', `r${round}`);
    rmSync(`${path}/alice`, { recursive: true });
    put(path, 'alice', 'a.top', 'again');
    assert.equal(await settled(), 'alice');
    put(path, 'alice', 'a.top', 'and again');
    assert.equal(await settled(), 'alice');
  }
  renameSync(`${path}/alice`, `${path}/anna`);
  assert.equal(await settled(), 'alice anna');
  put(path, 'anna', 'a.top', 'r');
  assert.equal(await settled(), 'anna');
});

test('a .use that goes is told, one that we write is not; nor are temporary files, marks, request files and the rest', async (t) => {
  const { path, settled, directory } = await watched(t);
  put(path, 'alice', 'a.use', 't1');
  put(path, 'alice', 'a.use', 't2');
  writeFileSync(`${path}/alice/.a.use.tokeep-x`, '');
  writeFileSync(`${path}/alice.mark`, '');
  writeFileSync(`${path}/${'f'.repeat(64)}`, '');
  await directory.complete();
  assert.equal(await settled(), '');
  unlinkSync(`${path}/alice/a.use`);
  assert.equal(await settled(), 'alice');
});

test('a change is told without a signal as well', async (t) => {
  const { path, heard, told } = await watched(t);
  const told1 = heard();
  put(path, 'bob', 'b.top', 'r2');
  await told1;
  assert.deepEqual([...new Set(told)], ['bob']);
});

test('another directory in the place of the first one, as when it is mounted, is watched like that one', async (t) => {
  const { path, directory, settled, heard, told } = await watched(t);
  renameSync(path, `${path}-before`);
  t.after(() => rmSync(`${path}-before`, { recursive: true }));
  mkdirSync(path);
  put(path, 'carol', 'c.top', 'r1');
  assert.equal(await settled(), 'alice bob carol');
  const told1 = heard();
  put(path, 'dave', 'd.top', 'r1');
  await told1;
  assert.deepEqual([...new Set(told)], ['dave']);
  await directory.stayOn(4711);
  assert.equal(readFileSync(`${path}/pid`, 'utf8'), '4711', 'condor_credd signals us there as well');
});

test('a link is not watched, and a file where a user was is a user gone', async (t) => {
  const { path, settled } = await watched(t);
  rmSync(`${path}/alice`, { recursive: true });
  writeFileSync(`${path}/alice`, '');
  assert.equal(await settled(), 'alice');
  rmSync(`${path}/alice`);
  assert.equal(await settled(), '');
});

test('what the system forgot to tell is found within a minute', async (t) => {
  const deaf: Watches = {
    open: () => ({ add: () => 'watched', drop() {}, settled: async () => true, close() {} }),
  };
  const { path, settled, heard, told, clock } = await watched(t, { watches: deaf });
  put(path, 'alice', 'a.top', 'r2');
  assert.equal(await settled(), '');
  await clock.sleeping();
  const found = heard();
  clock.advance(minutes(1));
  await found;
  assert.deepEqual(told, ['alice']);
});

test('without watches from the system changes are found at a signal and every ten seconds, and a finding says so', async (t) => {
  let allowed = 1;
  const real = realWorld().watches;
  const stingy: Watches = {
    open: (onEvent) => {
      const watch = real.open(onEvent);
      const add = (directory: string) => (allowed-- > 0 ? watch.add(directory) : 'refused');
      return {
        add,
        drop: (directory) => watch.drop(directory),
        settled: (directory) => watch.settled(directory),
        close: () => watch.close(),
      };
    },
  };
  const { path, settled, heard, told, clock, directory } = await watched(t, { watches: stingy });
  assert.match(directory.findings[0]?.message ?? '', /does not tell of all changes .* every ten seconds$/);
  assert.match(directory.findings[0]?.hint ?? '', /max_user_watches/);
  put(path, 'alice', 'a.top', 'r2');
  assert.equal(await settled(), 'alice');
  await clock.sleeping();
  put(path, 'bob', 'b.top', 'r2');
  const found = heard();
  clock.advance(seconds(10));
  await found;
  assert.deepEqual(told.splice(0), ['bob']);
  allowed = 100;
  await settled();
  assert.deepEqual(directory.findings, []);
  assert.equal(await settled(), '');
  put(path, 'bob', 'b.top', 'r3');
  assert.equal(await settled(), 'bob');
});

test('signals that come on top of each other each tell what happened before them', async (t) => {
  const { path, directory, told } = await watched(t);
  const settles = [directory.settle()];
  for (const user of ['alice', 'bob', 'carol', 'dave']) {
    put(path, user, 'a.top', 'r2');
    settles.push(
      directory.settle().then(() => assert.ok(told.join(' ').split(' ').includes(user), `${user} in ${told}`)),
    );
  }
  await Promise.all(settles);
});

test('many users at once are told together, and a settle waits for all of them', async (t) => {
  const { path, settled } = await watched(t);
  const users = Array.from({ length: 300 }, (_, n) => `u${n}`);
  for (const user of users) put(path, user, 'a.top', 'r');
  assert.equal((await settled()).split(' ').length, 300);
  for (const user of users) put(path, user, 'a.top', 'r2');
  assert.equal((await settled()).split(' ').length, 300);
  utimesSync(`${path}/u7/a.top`, 1, 1);
  assert.equal(await settled(), 'u7');
});
