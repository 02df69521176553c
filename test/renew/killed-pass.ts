// One pass in a process of its own, killed at the step it is told. Argv: directory, configuration, step.
import { setting } from './setting.ts';

const [dir = '', config = '', step = ''] = process.argv.slice(2);
const here = await setting({
  dir,
  config,
  steps: {
    reached(reached) {
      if (reached === step) process.kill(process.pid, 'SIGKILL');
    },
  },
});
await here.pass('forced');
await here.close();
