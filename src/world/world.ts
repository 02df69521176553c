import type { Clock } from './clock.ts';
import type { FileTrees } from './file-trees.ts';
import type { Files } from './files.ts';
import type { Http } from './http.ts';
import type { LocalSockets } from './local-socket.ts';
import type { Mailer } from './mailer.ts';
import type { Processes } from './processes.ts';
import type { Random } from './random.ts';
import type { Watches } from './watches.ts';

/** Everything outside, in one hand. Programs make one `realWorld()`; tests put it together from real and faulty parts. */
export interface World {
  readonly clock: Clock;
  readonly files: Files;
  readonly trees: FileTrees;
  readonly watches: Watches;
  readonly http: Http;
  readonly mailer: Mailer;
  readonly processes: Processes;
  readonly sockets: LocalSockets;
  readonly random: Random;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Our effective user and group id. */
  readonly user: { readonly uid: number; readonly gid: number };
}
