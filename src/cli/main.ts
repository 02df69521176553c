import { enableCompileCache } from 'node:module';
import { processIo } from './io.ts';

// Compiled code is kept between runs where there is a place for it; without one this does nothing.
enableCompileCache();

const { tokeep } = await import('./tokeep.ts');
process.exit(await tokeep(process.argv.slice(2), processIo()));
