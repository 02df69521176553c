import { writeSync } from 'node:fs';
import { realWorld } from '../../src/world/real-world.ts';
import { deps, openIssuer, request } from './issuer-bed.ts';

/** Signs as fast as it can, tells of each token once it is handed out, and is killed in the middle of it. */
const issuer = await openIssuer(realWorld(), String(process.argv[2]), deps);
let count = 0;
const sign = async () => {
  for (;;) {
    const { jti } = await issuer.mint(request());
    writeSync(1, `${jti}\n`);
    count += 1;
    if (count === 100) process.kill(process.pid, 'SIGKILL');
  }
};
await Promise.all(Array.from({ length: 8 }, sign));
