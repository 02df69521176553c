import { openSealedParts } from '../../src/mint/reseal-issuer.ts';
import type { Resealable } from '../../src/store/resealable.ts';
import { rotateSealingKey } from '../../src/store/seal-rotation.ts';
import { type FaultyCall, faultyFiles } from '../../src/world/faulty-files.ts';
import { realFiles } from '../../src/world/real-files.ts';
import { realWorld } from '../../src/world/real-world.ts';

/** Changes the sealing key of a state and an issuer, and is killed on the way: at a call to files, or after the nth step of the issuer. */
const [base, point, where] = process.argv.slice(2) as [string, string, string];
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
};
const files =
  point === 'step' ? realFiles : faultyFiles(realFiles, [{ op: point as FaultyCall, path: where, meanwhile: die }]);

await using issuer = await openSealedParts(realWorld(), `${base}/issuer`);
let steps = 0;
const counted =
  <A, R>(work: (argument: A) => Promise<R>) =>
  async (argument: A): Promise<R> => {
    const result = await work(argument);
    steps += 1;
    return point === 'step' && steps === Number(where) ? die() : result;
  };
const also: Resealable = {
  name: issuer.name,
  check: counted(issuer.check),
  reseal: counted(issuer.reseal),
  leave: counted(issuer.leave),
};
await rotateSealingKey(
  { ...realWorld(), files },
  {
    stateDir: `${base}/state`,
    choice: { kind: 'sqlite' },
    node: 'k',
    spool: [],
    keyFile: `${base}/etc/key`,
    also: [also],
  },
);
