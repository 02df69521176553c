// One pass in a process of its own, killed at the step it is told. Argv: directory, configuration, step, home.
import { type HomeName, setting } from './setting.ts';

const [dir = '', config = '', step = '', home = ''] = process.argv.slice(2);
const here = await setting({
  dir,
  config,
  home: home as HomeName,
  steps: {
    reached(reached) {
      if (reached === step) process.kill(process.pid, 'SIGKILL');
    },
  },
});
await here.pass('forced');
await here.close();
