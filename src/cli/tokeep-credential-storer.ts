import { Fault } from '../fault/fault.ts';
import { realClock } from '../world/real-clock.ts';
import { realFiles } from '../world/real-files.ts';
import { realProcesses } from '../world/real-processes.ts';
import { condorStore } from './condor-store-answer.ts';
import { endWith } from './ending.ts';
import { processIo } from './io.ts';

/** `tokeep condor store` as a plain path, which is all that SEC_CREDENTIAL_STORER takes, and without the rest of tokeep. */
const { stderr } = processIo();
const args = process.argv.slice(2);

async function work() {
  if (args.length === 0 || args.some((each) => each.startsWith('-'))) {
    throw new Fault('usage', 'tokeep-credential-storer takes services as condor_submit names them, and no options', {
      hint: 'see: tokeep condor store --help',
    });
  }
  const world = { clock: realClock, files: realFiles, processes: realProcesses, env: process.env };
  return await condorStore(
    { world, terminal: process.stderr.isTTY === true, say: (line) => stderr.write(`${line}\n`) },
    args,
  );
}

process.exit(await work().catch((thrown: unknown) => endWith(thrown, stderr, { verbose: false }, 'tokeep')));
