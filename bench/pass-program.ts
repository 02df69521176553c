/** `pass-program.ts DIR`: opens the engine in a directory, runs one pass, and prints what it took as one line of JSON. */
import { readFileSync } from 'node:fs';
import { runPass } from '../src/renew/pass.ts';
import { engineIn, neverAborted } from './engine-in.ts';

/** What {@link passProgram} prints. Seconds, and the peak of resident memory in bytes. */
export interface PassTold {
  readonly looked: number;
  readonly due: number;
  readonly renewed: number;
  readonly started: number;
  readonly pass: number;
  readonly peak: number;
}

const [dir = ''] = process.argv.slice(2);
await using opened = await engineIn(dir);
const started = performance.now() / 1000;
const { looked, due, renewed } = await runPass(opened.engine, { mode: 'pass', signals: neverAborted });
const pass = performance.now() / 1000 - started;
// Not from getrusage: what a process counts there begins with what its parent had.
const peak = 1024 * Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
console.log(JSON.stringify({ looked, due, renewed, started, pass, peak } satisfies PassTold));
