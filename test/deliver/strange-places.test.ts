import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { delivererOf } from '../../src/deliver/deliverers.ts';
import { Fault } from '../../src/fault/fault.ts';
import { type FaultStep, faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { accessToken, fileTarget, isRoot, scratch, worldWith } from './testing.ts';

const world = realWorld();
const stranger = 54_321;
const deliver = (path: string, more = {}) => {
  const target = fileTarget(path, more);
  return delivererOf(target).deliver(target, accessToken('canary-token'), world);
};

function refused(pattern: RegExp) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof Fault, String(thrown));
    assert.equal(thrown.code, 'target-refused');
    assert.match(thrown.message, pattern);
    assert.ok(!JSON.stringify([thrown.message, thrown.hint, thrown.cause]).includes('canary'));
    return true;
  };
}

/** As `/tmp` is: everybody may create, nobody may replace what belongs to others. */
function stickyDirectory(t: TestContext): string {
  const directory = join(scratch(t), 'sticky');
  mkdirSync(directory);
  chmodSync(directory, 0o1777);
  return directory;
}

for (const inPlace of [false, true]) {
  const how = inPlace ? 'in place' : 'by rename';
  test(`scenario 39: what is not a plain file is never followed, opened or replaced (${how})`, async (t) => {
    const directory = stickyDirectory(t);
    const at = (name: string) => join(directory, name);
    writeFileSync(at('precious'), 'precious');
    symlinkSync(at('precious'), at('link'));
    symlinkSync(at('nowhere'), at('dangling'));
    execFileSync('/usr/bin/mkfifo', [at('fifo')]);
    mkdirSync(at('directory'));
    linkSync(at('precious'), at('second-name'));
    for (const [name, pattern] of [
      ['link', /is a symbolic link/],
      ['dangling', /is a symbolic link/],
      ['fifo', /is a FIFO/],
      ['directory', /is a directory/],
      ['second-name', /has 2 hard links/],
    ] as const) {
      const before = lstatSync(at(name)).ino;
      await assert.rejects(deliver(at(name), { inPlace }), refused(pattern));
      assert.equal(lstatSync(at(name)).ino, before);
    }
    assert.equal(readFileSync(at('precious'), 'utf8'), 'precious');
    assert.ok(!existsSync(at('nowhere')));
    await assert.rejects(deliver('/dev/null', { inPlace }), refused(/is a device/));
  });
}

test('a link in the place of the directory is refused', async (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'real'));
  symlinkSync('real', join(directory, 'link'));
  await assert.rejects(deliver(join(directory, 'link', 'a.token')), refused(/not a directory|symbolic link/));
  assert.ok(!existsSync(join(directory, 'real', 'a.token')));
});

test('links on the way are followed step by step, and each step is judged', async (t) => {
  const base = scratch(t);
  mkdirSync(join(base, 'real/below'), { recursive: true });
  mkdirSync(join(base, 'open/below'), { recursive: true });
  chmodSync(join(base, 'open'), 0o777);
  const links = {
    relative: './real/../real',
    absolute: join(base, 'relative'),
    root: '/',
    loop: 'to-loop',
    dangling: 'nowhere',
    file: '/etc/passwd',
    open: `${base}/open/below/../../real`,
  };
  for (const [name, text] of Object.entries(links)) symlinkSync(text, join(base, `to-${name}`));
  symlinkSync('real', join(base, 'relative'));
  for (const name of ['relative', 'absolute']) {
    await deliver(join(base, `to-${name}`, 'below', `${name}.token`));
    assert.ok(existsSync(join(base, 'real/below', `${name}.token`)));
  }
  await deliver(join(base, `to-root${base}/real/below/root.token`));
  assert.ok(existsSync(join(base, 'real/below/root.token')));
  await assert.rejects(deliver(join(base, 'to-loop/below/a.token')), refused(/more than 40 links/));
  await assert.rejects(deliver(join(base, 'to-dangling/below/a.token')), refused(/does not exist/));
  await assert.rejects(
    deliver(join(base, 'to-file/below/a.token')),
    refused(/\/etc\/passwd is not a directory but a file/),
  );
  await assert.rejects(deliver(join(base, 'to-open/below/a.token')), refused(/everybody may replace files in .*open /));
});

test('a directory in which everybody may replace files is refused, anywhere on the way', async (t) => {
  const open = join(scratch(t), 'open');
  mkdirSync(join(open, 'below'), { recursive: true });
  chmodSync(open, 0o777);
  await assert.rejects(deliver(join(open, 'a.token')), refused(/everybody may replace files/));
  await assert.rejects(deliver(join(open, 'below', 'a.token')), refused(/everybody may replace files/));
  chmodSync(open, 0o770);
  await deliver(join(open, 'a.token'));
});

test('a relative path is refused', async () => {
  await assert.rejects(deliver('a.token'), refused(/not the absolute path/));
  await assert.rejects(deliver('/tmp/'), refused(/not the absolute path/));
});

if (isRoot) {
  test('scenario 39: a file or directory of a stranger is refused, whoever the stranger is', async (t) => {
    const directory = stickyDirectory(t);
    const path = join(directory, 'a.token');
    writeFileSync(path, 'prepared');
    chownSync(path, stranger, stranger);
    await assert.rejects(deliver(path), refused(/belongs to user 54321/));
    await assert.rejects(deliver(path, { existing: 'keep' }), refused(/belongs to user 54321/));
    assert.equal(readFileSync(path, 'utf8'), 'prepared');
    await deliver(path, { owner: String(stranger) });
    assert.equal(readFileSync(path, 'utf8'), 'canary-token\n');

    const theirs = join(scratch(t), 'theirs');
    mkdirSync(join(theirs, 'below'), { recursive: true });
    chownSync(theirs, stranger, stranger);
    await assert.rejects(deliver(join(theirs, 'below', 'a.token')), refused(/belongs to user 54321/));
    await deliver(join(theirs, 'a.token'), { owner: String(stranger) });
  });

  test('the owner of a file cannot lead it by a link to where only root may write', async (t) => {
    const [theirs, ours] = [scratch(t), scratch(t)];
    chmodSync(theirs, 0o755);
    mkdirSync(join(ours, 'below'));
    mkdirSync(join(theirs, 'own', 'below'), { recursive: true });
    symlinkSync(ours, join(theirs, 'to-root'));
    symlinkSync('own', join(theirs, 'to-own'));
    for (const name of ['.', 'own', 'own/below', 'to-root', 'to-own'])
      lchownSync(join(theirs, name), stranger, stranger);
    const owner = String(stranger);
    await assert.rejects(deliver(join(theirs, 'to-root/below/a.token'), { owner }), refused(/leads to a directory of/));
    assert.deepEqual(readdirSync(join(ours, 'below')), []);
    await deliver(join(theirs, 'to-own/below/a.token'), { owner });
    assert.equal(readFileSync(join(theirs, 'own/below/a.token'), 'utf8'), 'canary-token\n');
  });

  for (const when of ['own', 'own/below']) {
    test(`the owner of a file gains nothing by a swap on the way right before ${when} is opened`, async (t) => {
      const [theirs, ours] = [scratch(t), scratch(t)];
      mkdirSync(join(ours, 'below'));
      mkdirSync(join(theirs, 'own', 'below'), { recursive: true });
      for (const name of ['.', 'own', 'own/below']) lchownSync(join(theirs, name), stranger, stranger);
      const swap = () => {
        renameSync(join(theirs, 'own'), join(theirs, 'aside'));
        symlinkSync(ours, join(theirs, 'own'));
        lchownSync(join(theirs, 'own'), stranger, stranger);
      };
      const plan: FaultStep[] = [{ op: 'openDirectory', path: join(theirs, when), meanwhile: swap }];
      const target = fileTarget(join(theirs, 'own/below/a.token'), { owner: String(stranger) });
      const delivery = delivererOf(target).deliver(
        target,
        accessToken('canary-token'),
        worldWith({ files: faultyFiles(realFiles, plan) }),
      );
      if (when === 'own') await assert.rejects(delivery, refused(/leads to a directory of/));
      else await delivery;
      assert.deepEqual(readdirSync(join(ours, 'below')), []);
      assert.deepEqual(readdirSync(join(theirs, 'aside/below')), when === 'own' ? [] : ['a.token']);
    });
  }

  test('owner and group are as asked, and the group of a foreign owner is the owner’s', async (t) => {
    const path = join(scratch(t), 'a.token');
    await deliver(path, { owner: 'nobody', mode: 0o440 });
    const nobody = statSync(path);
    assert.equal(nobody.uid, 65_534);
    assert.notEqual(nobody.gid, 0);
    await deliver(path, { owner: 'nobody', group: 'daemon', mode: 0o440 });
    assert.equal(execFileSync('stat', ['-c', '%U:%G %a', path], { encoding: 'utf8' }), 'nobody:daemon 440\n');
  });

  test('with existing: keep owner, group and mode of the file stay, on a new inode', async (t) => {
    const path = join(scratch(t), 'a.token');
    writeFileSync(path, 'old');
    chownSync(path, stranger, 1);
    chmodSync(path, 0o644);
    const before = statSync(path);
    await deliver(path, { existing: 'keep' });
    const after = statSync(path);
    assert.deepEqual([after.uid, after.gid, after.mode], [before.uid, before.gid, before.mode]);
    assert.notEqual(after.ino, before.ino);
    assert.equal(readFileSync(path, 'utf8'), 'canary-token\n');
  });
}

test('an unknown user is named, with what to run', async (t) => {
  const path = join(scratch(t), 'a.token');
  await assert.rejects(deliver(path, { owner: 'no-such-user' }), refused(/there is no user "no-such-user"/));
  await assert.rejects(deliver(path, { group: 'no-such-group' }), refused(/there is no group "no-such-group"/));
});

test('in place the inode stays, a shorter token leaves nothing behind, and the mode is as asked', async (t) => {
  const path = join(scratch(t), 'a.token');
  writeFileSync(path, 'x'.repeat(500), { mode: 0o644 });
  const { ino } = statSync(path);
  await deliver(path, { inPlace: true, mode: 0o640 });
  assert.equal(statSync(path).ino, ino);
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.equal(readFileSync(path, 'utf8'), 'canary-token\n');
});

test('what is not withdrawn says that it was not removed', async (t) => {
  const directory = scratch(t);
  symlinkSync('/etc/passwd', join(directory, 'link'));
  const notRemoved = refused(/^token not removed: /);
  for (const target of [
    fileTarget(join(directory, 'link')),
    fileTarget('a.token'),
    fileTarget('/x', { mode: 0o604 }),
  ]) {
    await assert.rejects(delivererOf(target).withdraw(target, world), notRemoved);
  }
});
