import assert from 'node:assert/strict';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Fault } from '../../src/fault/fault.ts';
import { openStore } from '../../src/store/open-store.ts';
import { realWorld } from '../../src/world/real-world.ts';
import {
  accessToken,
  account,
  accountName,
  at,
  freshDirectory,
  refreshToken,
  sealer,
  seed,
  tokenFacts,
  wishName,
} from './samples.ts';

const open = (stateDir: string) => openStore(realWorld(), { stateDir, choice: { kind: 'sqlite' }, sealer, node: 'a' });

/** A closed state with two wishes, a token and two accounts of two generations. */
async function filled(): Promise<string> {
  const stateDir = freshDirectory();
  const store = await open(stateDir);
  await store.register([seed('w1'), seed('w2')], at);
  const [claimed] = await store.claim({ now: at, limit: 1, node: 'a', lease: 1000 as never, names: [wishName('w1')] });
  assert.ok(claimed);
  await store.settle({ ...claimed, token: tokenFacts('t'), dueAt: (at + 1e9) as never }, accessToken('t'));
  for (const name of ['acc1', 'acc2']) {
    await store.saveAccount(account(name), { credential: refreshToken(`${name} old`) });
    await store.saveAccount(account(name, 2), { credential: refreshToken(`${name} new`) });
  }
  await store.close();
  return stateDir;
}

function inside(stateDir: string, sql: string): void {
  const database = new DatabaseSync(join(stateDir, 'state.db'));
  database.exec(sql);
  database.close();
}

test('scenario 15: the database and everything beside it is 0600 in 0700, whatever the umask', async () => {
  const before = process.umask(0);
  const stateDir = freshDirectory();
  const store = await open(stateDir);
  await store.register([seed('w')], at);
  process.umask(before);
  assert.equal(statSync(stateDir).mode & 0o777, 0o700);
  for (const name of readdirSync(stateDir)) {
    const stats = statSync(join(stateDir, name));
    assert.equal(stats.mode & 0o777, stats.isDirectory() ? 0o700 : 0o600, name);
  }
  await store.close();
});

const ruins: Readonly<Record<string, (file: string) => void>> = {
  garbage: (file) => writeFileSync(file, 'this is no database, and long enough to have been one. '.repeat(200)),
  'NUL bytes': (file) => writeFileSync(file, Buffer.alloc(20_000)),
  'a torn page': (file) => {
    const handle = openSync(file, 'r+');
    for (const page of [1, 2, 3, 4, 5, 6, 7, 8, 9]) writeSync(handle, Buffer.alloc(4000, 0xee), 0, 4000, page * 4096);
    closeSync(handle);
  },
  truncation: (file) => truncateSync(file, 5_000),
};

for (const [what, ruin] of Object.entries(ruins)) {
  test(`scenario 14: a state that is ${what} is moved aside with a time stamp, and a fresh one works and says so`, async () => {
    const stateDir = await filled();
    ruin(join(stateDir, 'state.db'));
    const store = await open(stateDir);
    const findings = await store.findings();
    assert.equal(findings[0]?.what, 'database');
    assert.ok(readdirSync(stateDir).some((name) => /^state\.db\.damaged-\d{8}T\d{6}Z$/.test(name)));
    await store.register([seed('w1')], at);
    assert.equal((await store.wishes()).length, 1);
    await store.close();
  });
}

test('scenario 14: damage that is met at work is looked into at the next start, and what can be read is saved', async () => {
  const stateDir = await filled();
  const file = join(stateDir, 'state.db');
  const database = new DatabaseSync(file);
  const page = database
    .prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_delivery_1'`)
    .get() as {
    rootpage: number;
  };
  database.close();
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(4096, 0xee), 0, 4096, (page.rootpage - 1) * 4096);
  closeSync(handle);

  const unaware = await open(stateDir);
  assert.equal((await unaware.wishes()).length, 2);
  await assert.rejects(unaware.deliveries(), (thrown) => thrown instanceof Fault && thrown.code === 'state-broken');
  await unaware.close();

  const store = await open(stateDir);
  assert.match(
    String((await store.findings())[0]?.sentence),
    /a new one was begun with what could still be read \(records: 5\)/,
  );
  assert.deepEqual(await store.deliveries(), []);
  assert.equal((await store.wishes()).length, 2);
  assert.equal((await store.token(wishName('w1')))?.reveal(), 't');
  assert.equal((await store.secrets(accountName('acc2'))).credential?.reveal(), 'acc2 new');
  assert.ok(!readdirSync(stateDir).includes('state.db.suspect'));
  await store.close();
});

test('scenario 14: a damaged state is not moved away from under a run that works on it', async () => {
  const stateDir = await filled();
  const store = await open(stateDir);
  const run = await store.lockRun();
  writeFileSync(join(stateDir, 'state.db.suspect'), '');
  writeFileSync(join(stateDir, 'state.db'), 'garbage, and long enough to be taken for something. '.repeat(900));
  await assert.rejects(open(stateDir), (thrown) => thrown instanceof Fault && thrown.code === 'state-broken');
  assert.ok(!readdirSync(stateDir).some((name) => name.includes('damaged')));
  await run[Symbol.asyncDispose]();
  await store.close();
});

test('scenario 14: an empty file is a new state', async () => {
  const stateDir = await filled();
  truncateSync(join(stateDir, 'state.db'), 0);
  const store = await open(stateDir);
  assert.deepEqual(await store.wishes(), []);
  await store.close();
});

test('scenario 13: a damaged account goes back one generation, is suspect, and the others do not notice', async () => {
  const stateDir = await filled();
  inside(stateDir, `UPDATE account SET doc = substr(doc, 1, 40) WHERE name = 'acc1'`);
  const store = await open(stateDir);
  const back = await store.account(accountName('acc1'));
  assert.equal(back?.generation, 3);
  assert.equal(back?.intent?.outcome, 'unknown');
  assert.equal(back?.intent?.spends, 'rt1');
  assert.equal((await store.secrets(accountName('acc1'))).credential?.reveal(), 'acc1 old');
  assert.deepEqual(await store.account(accountName('acc2')), account('acc2', 2));
  const [finding] = await store.findings();
  assert.equal(finding?.what, 'account');
  assert.match(String(finding?.sentence), /acc1 was damaged; the one before it is used/);
  await store.saveAccount(account('acc1', 4), { credential: refreshToken('acc1 newest') });
  await store.close();
});

test('scenario 14: an account with both generations damaged is put aside, not guessed', async () => {
  const stateDir = await filled();
  inside(stateDir, `UPDATE account SET secrets = 'x', previous_doc = '{}' WHERE name = 'acc1'`);
  const store = await open(stateDir);
  assert.deepEqual(
    (await store.accounts()).map(({ name }) => String(name)),
    ['acc2'],
  );
  assert.match(String((await store.findings())[0]?.sentence), /has to be logged in again/);
  await store.close();
});

test('exchanged rows are noticed: a secret opens only for its account and generation', async () => {
  const stateDir = await filled();
  inside(
    stateDir,
    `UPDATE account SET secrets = (SELECT secrets FROM account WHERE name = 'acc2'),
       previous_secrets = (SELECT secrets FROM account WHERE name = 'acc2') WHERE name = 'acc1'`,
  );
  const store = await open(stateDir);
  assert.equal(await store.account(accountName('acc1')), undefined);
  await store.close();
});

test('scenario 14: a damaged wish starts afresh and is due at once, its token is asked for again', async () => {
  const stateDir = await filled();
  inside(stateDir, `UPDATE wish SET doc = replace(doc, 'storage.read', 'storage.steal') WHERE name = 'w1'`);
  const store = await open(stateDir);
  const wishes = await store.wishes();
  const mended = wishes.find(({ name }) => name === 'w1');
  assert.equal(wishes.length, 2);
  assert.equal(mended?.token, null);
  assert.ok(mended && mended.dueAt < at + 1e9);
  assert.equal((await store.findings())[0]?.what, 'wish');
  assert.equal((await store.wishes()).length, 2);
  assert.equal((await store.findings()).length, 1);
  await store.close();
});

test('scenario 14: a damaged token is not handed out, and is asked for again', async () => {
  const stateDir = await filled();
  inside(stateDir, `UPDATE token SET fence = fence + 1`);
  const store = await open(stateDir);
  assert.equal(await store.token(wishName('w1')), undefined);
  const [wish] = await store.wishes([wishName('w1')]);
  assert.equal(wish?.token, null);
  assert.equal((await store.findings())[0]?.what, 'token');
  await store.close();
});

test('scenario 33: a state of a newer tokeep is refused with a sentence, and not touched', async () => {
  const stateDir = await filled();
  inside(stateDir, `UPDATE meta SET value = '99' WHERE key = 'format'`);
  await assert.rejects(open(stateDir), (thrown) => {
    assert.ok(thrown instanceof Fault && thrown.code === 'state-newer');
    assert.match(thrown.message, /has format 99 and this tokeep knows formats up to \d+/);
    return true;
  });
});

test('scenario 44: no secret lies in clear in any file of the state', async () => {
  const stateDir = await filled();
  const store = await open(stateDir);
  for (const name of readdirSync(stateDir)) {
    if (statSync(join(stateDir, name)).isDirectory()) continue;
    const text = readFileSync(join(stateDir, name), 'latin1');
    for (const secret of ['acc1 new', 'acc1 old', Buffer.from('acc1 new').toString('base64')]) {
      assert.ok(!text.includes(secret), `${name} has ${secret}`);
    }
  }
  await store.close();
});
