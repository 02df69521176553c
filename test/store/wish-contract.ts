import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { before } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { StoreOptions } from '../../src/store/open-store.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { WishRecord } from '../../src/store/records.ts';
import type { Store } from '../../src/store/store.ts';
import type { WishName } from '../../src/token/names.ts';
import { epoch, minutes } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { accessToken, at, seed, tokenFacts, wishName } from './samples.ts';
import { type Contract, isFault, type StoreBed } from './store-bed.ts';

const later = (ms: number) => epoch(at + ms);
const names = (wishes: readonly WishRecord[]) => wishes.map(({ name }) => String(name)).sort();

/** Wishes: registered, claimed by one node at a time, settled. */
export function wishContract(contract: Contract): void {
  const { says } = contract;
  const world = realWorld();
  let bed: StoreBed;
  let a: Store;
  let b: Store;
  before(async () => {
    ({ bed, a, b } = await contract.opened);
  });
  const claim = (store: Store, limit = 100, now = later(1000), lease = minutes(2)) =>
    store.claim({ now, limit, node: store === a ? 'a' : 'b', lease });
  const wish = async (name: string): Promise<WishRecord> => {
    const [found] = await b.wishes([wishName(name)]);
    assert.ok(found);
    return found;
  };

  says('a new wish is due at once, and seen by another node', async () => {
    await a.register([seed('new')], at);
    const found = await wish('new');
    assert.equal(found.dueAt, at);
    assert.equal(found.state, 'kept');
    assert.equal(found.token, null);
    assert.equal(await b.nextDue(), at);
  });

  says('registering the same again changes nothing, even a wish that waits', async () => {
    await a.register([seed('same')], at);
    const [claimed] = await claim(a);
    assert.ok(claimed);
    await a.settle({ ...claimed, dueAt: later(9_999) });
    await a.register([seed('same')], later(50));
    assert.equal((await wish('same')).dueAt, later(9_999));
  });

  says('scenario 35: an absent wish is parked with its token, and kept again when it returns', async () => {
    await a.register([seed('park')], at);
    const [claimed] = await claim(a);
    assert.ok(claimed);
    await a.settle({ ...claimed, token: tokenFacts('t'), dueAt: later(7_000) }, accessToken('t'));
    await a.register([], later(1));
    assert.deepEqual((await b.parked()).includes(wishName('park')), true);
    assert.equal((await wish('park')).state, 'parked');
    assert.equal(await a.nextDue(), null);
    assert.deepEqual(await claim(a, 10, later(99_999)), []);
    await a.register([seed('park')], later(2));
    const back = await wish('park');
    assert.equal(back.state, 'kept');
    assert.equal(back.dueAt, later(7_000));
    assert.ok((await b.token(wishName('park')))?.equals(accessToken('t')));
  });

  says('a changed wish is due at once, keeps its token, and forgets its failures', async () => {
    await a.register([seed('change', 'one')], at);
    const [claimed] = await claim(a);
    assert.ok(claimed);
    const trouble = {
      code: 'request-refused',
      who: 'operator',
      sentence: 's',
      since: at,
      lastAt: at,
      attempts: 3,
    } as const;
    await a.settle(
      { ...claimed, token: tokenFacts('t'), failures: 3, trouble: { ...trouble, nextTry: null }, dueAt: later(99_000) },
      accessToken('t'),
    );
    await a.register([seed('change', 'two')], later(5));
    const changed = await wish('change');
    assert.equal(changed.dueAt, later(5));
    assert.equal(changed.wished, 'two');
    assert.equal(changed.fingerprint, 'one');
    assert.equal(changed.failures, 0);
    assert.equal(changed.trouble, null);
    assert.equal(changed.token?.fingerprint, accessToken('t').fingerprint);
  });

  says('work on a wish that was changed meanwhile is not settled as if it were the new one', async () => {
    await a.register([seed('moving', 'one')], at);
    const [claimed] = await claim(a);
    assert.ok(claimed);
    await a.register([seed('moving', 'two')], later(5));
    await assert.rejects(a.settle({ ...claimed, dueAt: later(99_000) }), isFault('state-conflict'));
    assert.equal((await wish('moving')).dueAt, later(5));
  });

  says('enrolled wishes are taken in one by one, and the others stay as they are', async () => {
    await a.register([seed('stays'), seed('turns', 'one')], at);
    for (const claimed of await claim(a)) await a.settle({ ...claimed, dueAt: later(50_000) });
    await a.enrol([seed('comes'), seed('turns', 'two')], later(3));
    assert.deepEqual([(await wish('stays')).state, (await wish('stays')).dueAt], ['kept', later(50_000)]);
    assert.deepEqual([(await wish('comes')).dueAt, (await wish('turns')).dueAt], [later(3), later(3)]);
  });

  says('a parked wish keeps its token, is due to nobody, and goes on as it was when it is enrolled again', async () => {
    await a.register([seed('away'), seed('here')], at);
    for (const claimed of await claim(a)) await a.settle({ ...claimed, dueAt: later(7_000) }, accessToken('t'));
    await a.park([wishName('away')]);
    assert.ok((await a.parked()).includes(wishName('away')));
    assert.ok(!names(await claim(a, 10, later(99_999))).includes('away'));
    await a.enrol([seed('away')], later(2));
    assert.deepEqual([(await wish('away')).state, (await wish('away')).dueAt], ['kept', later(7_000)]);
    assert.ok((await b.token(wishName('away')))?.equals(accessToken('t')));
  });

  says('of a forgotten wish nothing is left, and a late settle is refused', async () => {
    await a.register([seed('gone'), seed('left')], at);
    const claimed = (await claim(a)).find(({ name }) => name === 'gone');
    assert.ok(claimed);
    await a.settle({ ...claimed, dueAt: later(1) }, accessToken('of-gone'));
    await a.forgetWishes(['gone' as WishName]);
    assert.deepEqual(names(await a.wishes()).includes('gone'), false);
    assert.equal(await a.token('gone' as WishName), undefined);
    await assert.rejects(a.settle({ ...claimed, dueAt: later(2) }), isFault('state-conflict'));
    assert.equal((await wish('left')).state, 'kept');
  });

  says('two nodes that claim at the same time share the wishes, and none has two holders', async () => {
    await a.register(
      Array.from({ length: 60 }, (_, i) => seed(`share${i}`)),
      at,
    );
    const [one, two] = await Promise.all([claim(a, 60), claim(b, 60)]);
    const [three, four] = await Promise.all([claim(a, 60), claim(b, 60)]);
    const all = [...one, ...two, ...three, ...four];
    assert.equal(new Set(names(all)).size, 60);
    assert.equal(all.length, 60);
  });

  says('claims come soonest due first, up to the limit, and only what is due', async () => {
    await a.register([seed('o1'), seed('o2'), seed('o3')], at);
    for (const claimed of await claim(a)) {
      await a.settle({ ...claimed, dueAt: later(Number(claimed.name.at(-1)) * 1_000) });
    }
    assert.deepEqual(names(await claim(b, 10, later(500))), []);
    const first = await claim(b, 2, later(2_500));
    assert.deepEqual(
      first.map(({ name }) => String(name)),
      ['o1', 'o2'],
    );
    assert.equal(await a.nextDue(), later(3_000));
  });

  says('named wishes are claimed whether due or not, but not from somebody who holds them', async () => {
    await a.register([seed('n1'), seed('n2')], at);
    for (const claimed of await claim(a)) await a.settle({ ...claimed, dueAt: later(1e9) });
    const request = { now: later(2_000), limit: 10, lease: minutes(2), names: [wishName('n1')] };
    assert.deepEqual(names(await b.claim({ ...request, node: 'b' })), ['n1']);
    assert.deepEqual(names(await a.claim({ ...request, node: 'a' })), []);
  });

  says('scenario 32: a claim ends with its lease, and the late holder is refused by the fence', async () => {
    await a.register([seed('lease')], at);
    const [mine] = await claim(a, 1, later(0), minutes(1));
    assert.ok(mine);
    assert.equal((await claim(b, 1, later(59_000))).length, 0);
    const [theirs] = await claim(b, 1, later(60_000));
    assert.ok(theirs && theirs.fence > mine.fence);
    await assert.rejects(a.settle({ ...mine, dueAt: later(1e8) }, accessToken('late')), isFault('state-conflict'));
    assert.equal(await a.token(wishName('lease')), undefined);
    await b.settle({ ...theirs, dueAt: later(1e8) }, accessToken('right'));
    assert.ok((await a.token(wishName('lease')))?.equals(accessToken('right')));
  });

  says(
    'scenario 32: claims of a process that was killed are void for the next one on this host, those of the living stay',
    async () => {
      await a.register([seed('killed'), seed('living')], at);
      const request = { now: at, limit: 10, lease: minutes(10) };
      assert.equal((await b.claim({ ...request, node: 'b', names: [wishName('living')] })).length, 1);
      await killedClaimant(bed.options('a'), 'killed');
      assert.deepEqual(await claim(a, 10, at), []);
      await a.voidDeadClaims();
      assert.deepEqual(names(await claim(a, 10, at)), ['killed']);
      await b.voidDeadClaims();
      assert.deepEqual(await claim(b, 10, at), []);
    },
  );

  says('a store that is closed leaves no claims', async () => {
    await a.register([seed('closed')], at);
    const brief = await openStore(world, bed.options('a'));
    assert.equal((await claim(brief, 1, at)).length, 1);
    assert.equal((await claim(b, 1, at)).length, 0);
    await brief.close();
    assert.equal((await claim(b, 1, at)).length, 1);
  });

  says('scenario 19: a claim made by a clock that was a day ahead does not hold the wish for a day', async () => {
    await a.register([seed('ahead')], at);
    const day = 86_400_000;
    assert.equal((await claim(a, 1, later(day))).length, 1);
    assert.equal((await claim(b, 1, later(0))).length, 1);
  });

  says('a claim that is given back can be taken at once', async () => {
    await a.register([seed('give')], at);
    const claims = await claim(a);
    assert.equal((await claim(b)).length, 0);
    await a.release(claims);
    assert.deepEqual(names(await claim(b)), ['give']);
  });

  says('hastened wishes are due now', async () => {
    await a.register([seed('haste')], at);
    for (const claimed of await claim(a)) await a.settle({ ...claimed, dueAt: later(1e9 + 0.5) });
    await a.hasten([wishName('haste'), wishName('unknown')], later(3));
    assert.equal((await wish('haste')).dueAt, later(3));
    assert.equal(await b.nextDue(), later(3));
  });

  says('random claims, settles, releases and passing time never give a wish to two holders', async () => {
    const all = ['p0', 'p1', 'p2'];
    await a.register(
      all.map((name) => seed(name)),
      at,
    );
    let now = 1e6;
    const step = fc.record({
      node: fc.constantFrom('a', 'b'),
      act: fc.constantFrom('claim', 'settle', 'release', 'wait'),
      which: fc.nat(5),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
        now += 10_000_000;
        const held: { record: WishRecord; until: number; by: string }[] = [];
        for (const { node, act, which } of steps) {
          const store = node === 'a' ? a : b;
          if (act === 'wait') now += 20_000;
          if (act === 'claim') {
            const claimed = await claim(store, 1 + (which % 2), later(now), minutes(1));
            for (const record of claimed) {
              const other = held.find((h) => h.record.name === record.name && h.until > now);
              assert.equal(other, undefined, `${record.name} had a holder`);
              held.push({ record, until: now + 60_000, by: node });
            }
          }
          const mine = held[which % Math.max(1, held.length)];
          if (mine === undefined) continue;
          const newest = held.filter((h) => h.record.name === mine.record.name).at(-1) === mine;
          if (act === 'settle') {
            const settling = store.settle({ ...mine.record, dueAt: later(now) });
            if (newest) await settling;
            else await assert.rejects(settling, isFault('state-conflict'));
            mine.until = 0;
          }
          if (act === 'release') {
            await store.release([mine.record]);
            mine.until = 0;
          }
        }
        await a.hasten(all.map(wishName), later(0));
      }),
      { numRuns: 25 },
    );
  });
}

/** Has another process claim a wish, and kills it. */
async function killedClaimant({ stateDir, choice }: StoreOptions, wish: string): Promise<void> {
  const program = fileURLToPath(new URL('killed-claimant.ts', import.meta.url));
  const child = spawn(process.execPath, [program, stateDir, JSON.stringify(choice), wish], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  assert.equal(String(line), 'claimed 1\n');
  child.kill('SIGKILL');
  await once(child, 'exit');
}
