// Runs all tests, and reads along: no secret of any test may stand in what they print (scenario 44). Every secret the tests make
// up has the word below in it, or is one of the clients of the test issuer. Arguments are passed on to `node --test`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { person, robot } from './peers/start-issuer.ts';

const secrets = ['canary', robot.client_secret, person.client_secret].filter((text) => text !== undefined);
const args = process.argv.slice(2);
/** Those against foreign software are a suite of their own: npm run test:interop. */
const rooms = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const own = rooms.filter(({ name }) => name !== 'interop').map(({ name }) => `test/${name}/**/*.test.ts`);
const tests = args.length === 0 ? ['test/*.test.ts', ...own] : args;
// What tests leave lying about goes with this; others (the user a PostgreSQL runs as) have to get in.
const temporary = mkdtempSync(join(tmpdir(), 'tokeep-tests-'));
chmodSync(temporary, 0o755);
const child = spawn(process.execPath, ['--test', '--test-concurrency=2', ...tests], {
  stdio: ['ignore', 'pipe', 'pipe'],
  env: { ...process.env, TMPDIR: temporary },
});
let leaks = 0;

function pass(from: NodeJS.ReadableStream, to: NodeJS.WriteStream): Promise<unknown> {
  const lines = createInterface({ input: from });
  lines.on('line', (line) => {
    if (secrets.some((secret) => line.includes(secret))) leaks += 1;
    to.write(`${line}\n`);
  });
  return once(lines, 'close');
}

const printed = Promise.all([pass(child.stdout, process.stdout), pass(child.stderr, process.stderr)]);
const [[status]] = (await Promise.all([once(child, 'close'), printed])) as [[number | null], unknown];
rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
if (leaks > 0) process.stderr.write(`a secret of the tests stands in ${leaks} of the lines above\n`);
process.exitCode = leaks > 0 ? 1 : (status ?? 1);
