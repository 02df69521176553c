// A process that works on a spool or a store and is killed on the way. Says on stdout what was promised to it.
import { writeSync } from 'node:fs';
import { keySealer } from '../../src/store/envelope.ts';
import { openSpool } from '../../src/store/open-spool.ts';
import { openStore } from '../../src/store/open-store.ts';
import { rotateSealingKey } from '../../src/store/seal-rotation.ts';
import { type FaultyCall, faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { account, accountName, at, refreshToken, seed, wishName } from './samples.ts';

const [what, stateDir, op, nth] = process.argv.slice(2) as [string, string, FaultyCall, string];
const sealer = keySealer(Buffer.alloc(32, 7));
const say = (line: string) => writeSync(1, `${line}\n`);
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
const acc = accountName('acc');

async function saveInSpool(): Promise<void> {
  const files = faultyFiles(realFiles, [{ op, nth: Number(nth), meanwhile: die }]);
  const spool = openSpool({ ...realWorld(), files }, { dir: stateDir, sealer });
  const place = await spool.reserve(acc);
  say('reserved');
  await place.save(refreshToken('next'), 2);
  say('saved');
  await place.release();
  say('released');
}

/** Many writes at once, so that groups are committed; killed without warning by whoever reads the promises. */
async function writeForEver(): Promise<void> {
  const store = await openStore(realWorld(), { stateDir, choice: { kind: 'sqlite' }, sealer, node: 'k' });
  await store.register([seed('w1'), seed('w2')], at);
  const count = async (name: string) => {
    for (let generation = 1; ; generation += 1) {
      const credential = refreshToken(`${name} ${generation}`);
      await store.saveAccount(account(name, generation), { credential });
      say(`${name} ${generation}`);
    }
  };
  await Promise.all(['acc1', 'acc2', 'acc3'].map(count));
}

async function holdLocks(): Promise<void> {
  const store = await openStore(realWorld(), { stateDir, choice: { kind: 'sqlite' }, sealer, node: 'k' });
  await store.lockAccount(acc, AbortSignal.timeout(5_000));
  await store.lockRun();
  await store.claim({ now: at, limit: 1, node: 'k', lease: 1 as never, names: [wishName('none')] });
  say('held');
  await new Promise(() => setInterval(() => {}, 1_000));
}

/** With the key file in `etc` beside the state. */
async function rotate(): Promise<void> {
  const [file, times] = nth.split(',');
  const files = faultyFiles(realFiles, [{ op, path: String(file), nth: Number(times ?? 1), meanwhile: die }]);
  const options = {
    stateDir,
    choice: { kind: 'sqlite' },
    node: 'k',
    spool: [],
    also: [],
    keyFile: `${stateDir}-etc/key`,
  } as const;
  await rotateSealingKey({ ...realWorld(), files }, options);
}

/** Under a limit on file sizes, which SQLite meets as it would meet a full disk. */
async function fillDisk(): Promise<void> {
  // Without a listener the signal would end the process instead of failing the write.
  process.on('SIGXFSZ', () => {});
  const store = await openStore(realWorld(), { stateDir, choice: { kind: 'sqlite' }, sealer, node: 'k' });
  for (let generation = 1; ; generation += 1) {
    const credential = refreshToken(`${generation} ${'x'.repeat(16_000)}`);
    const outcomes = await Promise.allSettled([
      store.saveAccount(account('acc', generation), { credential }),
      store.saveAccount(account('other', generation), { credential }),
    ]);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    if (refused !== undefined) {
      say(`refused ${refused.reason.code} ${(await store.account(acc))?.generation}`);
      return await store.close();
    }
    say(`saved ${generation}`);
  }
}

await { fillDisk, rotate, saveInSpool, writeForEver, holdLocks }[what as 'saveInSpool']();
