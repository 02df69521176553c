import { Fault } from '../fault/fault.ts';
import { realFiles } from '../world/real-files.ts';
import { endWith } from './ending.ts';
import { processIo } from './io.ts';
import { mapAsPlugin } from './map-plugin.ts';

/** `tokeep map --plugin` without the rest of tokeep, since HTCondor starts it for each client that comes. */
const { stdin, stdout, stderr } = processIo();
const [file, ...more] = process.argv.slice(2);

async function work() {
  if (file === undefined || file.startsWith('-') || more.length > 0) {
    throw new Fault('usage', 'tokeep-map-plugin takes one argument, the file of rules');
  }
  const print = (line: string) => stdout.write(`${line}\n`);
  const say = (line: string) => stderr.write(`${line}\n`);
  return await mapAsPlugin({ files: realFiles, stdin, print, say }, file);
}

process.exit(await work().catch((thrown: unknown) => endWith(thrown, stderr, { verbose: false }, 'tokeep-map-plugin')));
