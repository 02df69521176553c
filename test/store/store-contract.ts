import { after, before, test } from 'node:test';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { recordContract } from './record-contract.ts';
import type { Contract, StoreBed } from './store-bed.ts';
import { wishContract } from './wish-contract.ts';

/** What every store keeps to, with two of them (nodes `a` and `b`) open on one database. */
export function storeContract(kind: string, makeBed: () => Promise<StoreBed>, endBed: () => Promise<void>): void {
  const world = realWorld();
  let a: Store;
  let b: Store;
  const { promise: opened, resolve } = Promise.withResolvers<Awaited<Contract['opened']>>();
  const contract: Contract = { says: (sentence, work) => void test(`${kind}: ${sentence}`, work), opened };

  before(async () => {
    const bed = await makeBed();
    a = await openStore(world, bed.options('a'));
    b = await openStore(world, bed.options('b'));
    resolve({ bed, a, b });
  });
  after(async () => {
    await a.close();
    await b.close();
    await endBed();
  });

  wishContract(contract);
  recordContract(contract);
}
