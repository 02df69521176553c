// A reader in a process of its own: reads the file named by its argument as fast as it can until it is told to stop, and
// says how often it saw what. A token is `TOKEN-<n>-<many x>-<n>` and a line end; anything else is counted as broken.
import { readFileSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

const path = process.argv[2] ?? '';
let inode = -1;
let changes = 0;
let reads = 0;
let broken = 0;
let stop = false;
process.on('message', () => {
  stop = true;
});
process.send?.('ready');
while (!stop) {
  for (let n = 0; n < 50; n++) {
    const match = /^TOKEN-(\d+)-x{5000}-(\d+)\n$/.exec(readFileSync(path, 'latin1'));
    if (match === null || match[1] !== match[2]) broken++;
    const { ino } = statSync(path);
    if (ino !== inode) changes++;
    inode = ino;
    reads++;
  }
  await setImmediate();
}
process.send?.({ reads, broken, changes });
process.disconnect?.();
