import assert from 'node:assert/strict';
import { before } from 'node:test';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { Secret } from '../../src/token/secret.ts';
import { epoch } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { account, accountName, at, refreshToken, sealer, wishName } from './samples.ts';
import { type Contract, isFault, type StoreBed } from './store-bed.ts';

const later = (ms: number) => epoch(at + ms);
const soon = () => AbortSignal.timeout(150);
const inTime = () => AbortSignal.timeout(20_000);

/** Accounts with their secrets, locks, and the smaller records. */
export function recordContract(contract: Contract): void {
  const { says } = contract;
  const world = realWorld();
  let bed: StoreBed;
  let a: Store;
  let b: Store;
  before(async () => {
    ({ bed, a, b } = await contract.opened);
  });

  says('an account and its secrets come back as they were saved, on the other node', async () => {
    const record = account('keeper', 1, { learnt: { 'client-auth': 'raw' } });
    await a.saveAccount(record, {
      credential: refreshToken('canary-rt'),
      clientSecret: new Secret('client_secret', 'canary-cs'),
    });
    assert.deepEqual(await b.account(accountName('keeper')), record);
    const secrets = await b.secrets(accountName('keeper'));
    assert.equal(secrets.credential?.reveal(), 'canary-rt');
    assert.equal(secrets.clientSecret?.reveal(), 'canary-cs');
  });

  says('a new credential leaves the client secret as it is', async () => {
    await a.saveAccount(account('parts'), {
      credential: refreshToken('r1'),
      clientSecret: new Secret('client_secret', 'cs'),
    });
    await a.saveAccount(account('parts', 2), { credential: refreshToken('r2') });
    await b.saveAccount(account('parts', 3, { login: 'suspended' }));
    const secrets = await a.secrets(accountName('parts'));
    assert.equal(secrets.credential?.reveal(), 'r2');
    assert.equal(secrets.clientSecret?.reveal(), 'cs');
  });

  says('scenario 8: of two that save the same generation one is refused, and finds what the other wrote', async () => {
    await a.saveAccount(account('race'), { credential: refreshToken('old') });
    const outcomes = await Promise.allSettled([
      a.saveAccount(account('race', 2), { credential: refreshToken('from-a') }),
      b.saveAccount(account('race', 2), { credential: refreshToken('from-b') }),
    ]);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 1);
    assert.ok(isFault('state-conflict')((refused[0] as PromiseRejectedResult).reason));
    const winner = outcomes[0]?.status === 'fulfilled' ? 'from-a' : 'from-b';
    assert.equal((await a.secrets(accountName('race'))).credential?.reveal(), winner);
    await assert.rejects(a.saveAccount(account('race', 1)), isFault('state-conflict'));
    await assert.rejects(a.saveAccount(account('race', 9)), isFault('state-conflict'));
  });

  says('a forgotten account is gone with its secrets', async () => {
    await a.saveAccount(account('gone'), { credential: refreshToken('r') });
    await b.forgetAccount(accountName('gone'));
    assert.equal(await a.account(accountName('gone')), undefined);
    assert.deepEqual(await a.secrets(accountName('gone')), {});
  });

  says('scenario 3: one account lock at a time, within and between processes; the next in line gets it', async () => {
    const lock = await a.lockAccount(accountName('x/y'), inTime());
    assert.equal(await lock.stillOurs(), true);
    await assert.rejects(b.lockAccount(accountName('x/y'), soon()));
    await assert.rejects(a.lockAccount(accountName('x/y'), soon()));
    const other = await b.lockAccount(accountName('x_y'), inTime());
    await other.release();
    const order: string[] = [];
    const waitFor = async (store: Store) => {
      const got = await store.lockAccount(accountName('x/y'), inTime());
      order.push('got');
      return got;
    };
    const next = waitFor(a);
    const last = waitFor(b);
    order.push('released');
    await lock.release();
    assert.equal(await lock.stillOurs(), false);
    const winner = await Promise.race([next, last]);
    assert.equal(order[0], 'released');
    assert.equal(order.length, 2);
    await winner.release();
    await (await next).release();
    await (await last).release();
  });

  says('deliveries are kept per wish, target and node', async () => {
    const one = { wish: wishName('d'), target: 'file /t', node: 'a', delivered: 'f', deliveredAt: at, trouble: null };
    await a.saveDelivery(one);
    await a.saveDelivery({ ...one, node: 'b', delivered: null });
    await a.saveDelivery({ ...one, delivered: 'g' });
    await a.saveDelivery({ ...one, wish: wishName('e') });
    assert.deepEqual(
      (await b.deliveriesOf(wishName('d'))).map(({ node, delivered }) => [node, delivered]),
      [
        ['a', 'g'],
        ['b', null],
      ],
    );
    assert.equal((await b.deliveries()).length, 3);
  });

  says('issuers and notices are replaced whole', async () => {
    const issuer = {
      issuer: 'https://i/',
      circuit: { kind: 'closed' },
      notBefore: null,
      trouble: null,
      skew: null,
    } as const;
    await a.saveIssuer(issuer);
    await b.saveIssuer({ ...issuer, skew: 12 });
    assert.deepEqual(await a.issuers(), [{ ...issuer, skew: 12 }]);
    const notice = { key: 'k', channel: 'c', state: 'raised', stage: '1', saidAt: at } as const;
    await a.saveNotices([notice, { ...notice, channel: 'd' }]);
    await b.saveNotices([{ ...notice, state: 'cleared' }]);
    assert.deepEqual((await a.notices()).map(({ state }) => state).sort(), ['cleared', 'raised']);
  });

  says('all nodes draw from one bucket per issuer, which fills with time', async () => {
    const draws = await Promise.all([a, b, a, b].map((store) => store.drawBudget('https://one', 2, 50, later(0))));
    assert.equal(
      draws.reduce((sum, { granted }) => sum + granted, 0),
      5,
    );
    const empty = await a.drawBudget('https://one', 1, 50, later(0));
    assert.deepEqual(empty, { granted: 0, nextAt: later(22) });
    assert.equal((await b.drawBudget('https://one', 1, 50, later(22))).granted, 1);
    assert.equal((await b.drawBudget('https://one', 9, 50, later(-1e6))).granted, 0);
    assert.equal((await b.drawBudget('https://two', 1, 50, later(0))).granted, 1);
  });

  says('scenario 33: a second run on the same state is refused, and the lock is free after the first', async () => {
    const run = await a.lockRun();
    await assert.rejects((await openStore(world, bed.options('a'))).lockRun(), isFault('state-second-run'));
    await run[Symbol.asyncDispose]();
    await (await a.lockRun())[Symbol.asyncDispose]();
  });

  says('a store with another sealing key is refused, and nothing is sealed', async () => {
    const other = { ...sealer, keyId: 'ffffffffffffffff' };
    await assert.rejects(openStore(world, { ...bed.options('c'), sealer: other }), isFault('seal-wrong-key'));
  });
}
