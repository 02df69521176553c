import { realClock } from './real-clock.ts';
import { realFileTrees } from './real-file-trees.ts';
import { realFiles } from './real-files.ts';
import { realHttp } from './real-http.ts';
import { realLocalSockets } from './real-local-socket.ts';
import { realMailer } from './real-mailer.ts';
import { realProcesses } from './real-processes.ts';
import { realRandom } from './real-random.ts';
import { realWatches } from './real-watches.ts';
import type { World } from './world.ts';

/** The world as it is. */
export function realWorld(): World {
  return {
    clock: realClock,
    files: realFiles,
    trees: realFileTrees,
    watches: realWatches,
    http: realHttp(process.env),
    mailer: realMailer,
    processes: realProcesses,
    sockets: realLocalSockets,
    random: realRandom,
    env: process.env,
    // Asked anew each time: root may become somebody else.
    user: {
      get uid() {
        return process.geteuid?.() ?? -1;
      },
      get gid() {
        return process.getegid?.() ?? -1;
      },
    },
  };
}
