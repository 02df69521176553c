import type { ExecTarget } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { AccessToken } from '../token/secret.ts';
import { runTrusted } from '../world/trusted-command.ts';
import type { World } from '../world/world.ts';
import type { Deliverer } from './deliverer.ts';
import { inPrivateFile } from './private-file.ts';

/** Stands for the path of the token's file in a command; without it the path comes last. */
const placeholder = '{file}';

/**
 * Hands a token to a command: on its standard input, or as the path of a private file that is gone when the command ends.
 * Never as an argument or in the environment, where other users and logs see it.
 */
export const execDeliverer: Deliverer<ExecTarget> = {
  kind: 'exec',
  async deliver(target, token, world) {
    try {
      await handOver(target, token, world);
    } catch (thrown) {
      throw asTargetFault(thrown, target.argv[0]);
    }
  },
  check: async () => 'unknown',
  withdraw: async () => {},
};

async function handOver(target: ExecTarget, token: AccessToken, world: World): Promise<void> {
  const { argv, hands, timeout } = target;
  if (hands === 'stdin') {
    await runTrusted(world, { argv, timeout, stdin: `${token.reveal()}\n` });
    return;
  }
  await inPrivateFile(world, token, async (path) => {
    const filled = argv.includes(placeholder)
      ? argv.map((part) => (part === placeholder ? path : part))
      : [...argv, path];
    await runTrusted(world, { argv: filled, timeout });
  });
}

/** A command that must not run needs a person; one that failed is tried again. */
export function asTargetFault(thrown: unknown, program: string | undefined): unknown {
  if (!(thrown instanceof Fault) || (thrown.code !== 'command-untrusted' && thrown.code !== 'command-failed')) {
    return thrown;
  }
  const code = thrown.code === 'command-untrusted' ? 'target-refused' : 'target-failed';
  const hint = thrown.hint === undefined ? {} : { hint: thrown.hint };
  return new Fault(code, `token not handed to ${program}: ${thrown.message}`, { cause: thrown, ...hint });
}
