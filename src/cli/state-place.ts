import { join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where state lives when neither `--state` nor the configuration says so: the directory systemd made for the service
 * (STATE_DIRECTORY), else /var/lib/tokeep for root, else `$XDG_STATE_HOME/tokeep`.
 */
export function usualStateDir(env: Env, uid: number): string {
  const fromSystemd = env['STATE_DIRECTORY']?.split(':')[0];
  if (fromSystemd !== undefined && fromSystemd !== '') return fromSystemd;
  if (uid === 0) return '/var/lib/tokeep';
  return join(absolute(env['XDG_STATE_HOME']) ?? join(env['HOME'] ?? '/', '.local/state'), 'tokeep');
}

/** The XDG base directory specification: relative paths are invalid and ignored. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}
