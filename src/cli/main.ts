import { fastGet } from './fast-get.ts';
import { processIo } from './io.ts';

const args = process.argv.slice(2);
const io = processIo();

const token = await fastGet(args, process.env);
if (token === undefined) {
  const { tokeep } = await import('./tokeep.ts');
  process.exitCode = await tokeep(args, io);
} else {
  try {
    await io.stdout.write(`${token.reveal()}\n`);
  } catch (thrown) {
    const { endWith } = await import('./ending.ts');
    process.exitCode = await endWith(thrown, io.stderr, { verbose: false });
  }
}
process.exit();
