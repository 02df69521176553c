// A daemon in a process of its own, which sends itself SIGTERM at a step of its rotation (or not at all), and a second one when
// told so. Argv: directory, configuration, step, `twice` or `once`.
import { Daemon } from '../../src/renew/daemon.ts';
import { setting } from './setting.ts';

const [dir = '', config = '', step = '', often = ''] = process.argv.slice(2);
const stop = new AbortController();
const hurry = new AbortController();
process.on('SIGTERM', () => (stop.signal.aborted ? hurry : stop).abort(new Error('SIGTERM')));
const here = await setting({
  dir,
  config,
  steps: {
    async reached(reached) {
      if (reached !== step) return;
      process.kill(process.pid, 'SIGTERM');
      // The signal is handled in a later turn of the event loop.
      await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }));
    },
  },
});
if (often === 'twice') stop.signal.addEventListener('abort', () => process.kill(process.pid, 'SIGTERM'));
await new Daemon(here.engine, { stop: stop.signal, hurry: hurry.signal, onTurn: async () => {} }).run();
await here.close();
