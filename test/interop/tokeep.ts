import { join } from 'node:path';
import { outputOf, type Ran, ran } from './run-program.ts';

const command = [process.execPath, join(import.meta.dirname, '../../src/cli/main.ts')];

/** What the command of this checkout prints. Throws with what it said if it does not end well. */
export const tokeep = (...args: readonly string[]): Promise<string> => outputOf([...command, ...args]);

/** As `tokeep`, with a token on its standard input; it may end as it likes. */
export const tokeepOn = (token: string, ...args: readonly string[]): Promise<Ran> =>
  ran([...command, ...args], {}, `${token}\n`);
