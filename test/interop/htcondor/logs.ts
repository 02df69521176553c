import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const logs = ['MasterLog', 'CredLog', 'CredMonOAuthLog', 'CredMonWebLog', 'SchedLog', 'ShadowLog', 'master.out'];

/** Not what they say by the dozen and to no purpose. */
const isTelling = (line: string): boolean => !/setEffectiveOwner|calling and resetting|scandir|less than/.test(line);

/** The last lines of what the pool's daemons wrote. */
export function tailOfLogs(root: string, lines = 25): string {
  const directory = join(root, 'var/log/condor');
  if (!existsSync(directory)) return '';
  return readdirSync(directory)
    .filter((name) => logs.includes(name))
    .map(
      (name) =>
        `--- ${name}\n${readFileSync(join(directory, name), 'utf8').trimEnd().split('\n').filter(isTelling).slice(-lines).join('\n')}`,
    )
    .join('\n');
}
