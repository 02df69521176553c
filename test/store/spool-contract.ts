import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Spool } from '../../src/store/spool.ts';
import { accountName, refreshToken } from './samples.ts';

/** What every spool keeps to. `reopen` is what a new process would see. */
export function spoolContract(kind: string, open: () => { spool: Spool; reopen: () => Spool }): void {
  const acc = accountName('cms/öäü *');

  test(`${kind}: a saved successor is found by the next process, once, until it is discarded`, async () => {
    const { spool, reopen } = open();
    const place = await spool.reserve(acc);
    await place.save(refreshToken('next'), 7);
    const found = await reopen().pending(acc);
    assert.equal(found?.credential.reveal(), 'next');
    assert.equal(found?.credential.kind, 'refresh_token');
    assert.equal(found?.generation, 7);
    await found?.discard();
    assert.equal(await reopen().pending(acc), undefined);
  });

  test(`${kind}: a reservation without a successor leaves nothing`, async () => {
    const { spool, reopen } = open();
    const place = await spool.reserve(acc);
    assert.equal(await reopen().pending(acc), undefined);
    await place.release();
    await place.release();
    assert.equal(await reopen().pending(acc), undefined);
  });

  test(`${kind}: release after the store has the successor takes it away`, async () => {
    const { spool, reopen } = open();
    const place = await spool.reserve(acc);
    await place.save(refreshToken('next'), 2);
    await place.release();
    assert.equal(await reopen().pending(acc), undefined);
  });

  test(`${kind}: a later successor replaces an earlier one, and is not taken away with it`, async () => {
    const { spool, reopen } = open();
    const early = await spool.reserve(acc);
    await early.save(refreshToken('second'), 2);
    const late = await spool.reserve(acc);
    await late.save(refreshToken('third'), 3);
    await early.release();
    assert.equal((await reopen().pending(acc))?.generation, 3);
  });

  test(`${kind}: accounts do not see each other`, async () => {
    const { spool, reopen } = open();
    for (const name of ['a', 'a.successor', '../a', 'A', 'x'.repeat(300), `${'x'.repeat(299)}y`]) {
      const place = await spool.reserve(accountName(name));
      await place.save(refreshToken(`of ${name}`), 1);
    }
    for (const name of ['a', 'a.successor', '../a', 'A', 'x'.repeat(300), `${'x'.repeat(299)}y`]) {
      assert.equal((await reopen().pending(accountName(name)))?.credential.reveal(), `of ${name}`);
    }
  });

  test(`${kind}: a successor larger than what was reserved is saved all the same`, async () => {
    const { spool, reopen } = open();
    const place = await spool.reserve(acc);
    await place.save(refreshToken('l'.repeat(200_000)), 2);
    assert.equal((await reopen().pending(acc))?.credential.reveal().length, 200_000);
  });
}
