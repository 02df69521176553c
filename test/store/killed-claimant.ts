// A process that claims a wish of its own and waits to be killed. Argv: state directory, choice of the store, name of the wish.
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/open-store.ts';
import { minutes } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { at, sealer, wishName } from './samples.ts';

const [stateDir = '', choice = '', wish = ''] = process.argv.slice(2);
const store = await openStore(realWorld(), { stateDir, choice: JSON.parse(choice), sealer, node: 'a' });
const claims = await store.claim({ now: at, limit: 1, node: 'a', lease: minutes(10), names: [wishName(wish)] });
writeSync(1, `claimed ${claims.length}\n`);
setInterval(() => {}, 1_000);
