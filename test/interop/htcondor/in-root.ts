import { type Ran, ran } from '../run-program.ts';

export interface InRoot {
  /** Default: root. */
  readonly user?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** No command of HTCondor may hang a test: those that wait for a daemon that does not answer are ended. */
const atMost = ['timeout', '--kill-after=5', '60'];

/** The command as a user of the root would run it, with that user's groups, home and a clean environment. */
export const commandInRoot = (root: string, command: readonly string[], { user = 'root', env = {} }: InRoot = {}) => [
  ...['chroot', root, 'setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', '--reset-env'],
  ...['env', `--chdir=${user === 'root' ? '/root' : `/home/${user}`}`, 'PATH=/usr/bin:/bin:/usr/sbin:/sbin'],
  ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  ...command,
];

export const ranInRoot = (root: string, command: readonly string[], how: InRoot = {}): Promise<Ran> =>
  ran([...atMost, ...commandInRoot(root, command, how)], {}, how.input);
