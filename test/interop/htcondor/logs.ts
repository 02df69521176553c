import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const logs = ['MasterLog', 'CredLog', 'CredMonOAuthLog', 'SchedLog', 'ShadowLog', 'master.out', 'web.out'];

/** The last lines of what the pool's daemons wrote. */
export function tailOfLogs(root: string, lines = 25): string {
  const directory = join(root, 'var/log/condor');
  if (!existsSync(directory)) return '';
  return readdirSync(directory)
    .filter((name) => logs.includes(name))
    .map(
      (name) =>
        `--- ${name}\n${readFileSync(join(directory, name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n')}`,
    )
    .join('\n');
}
