import { join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

const systemState = '/var/lib/tokeep';
const systemConfig = '/etc/tokeep';
/** Of HTCondor's credmon, where it is root; TOKEEP_CREDMON_STATE may name another. */
export const credmonState = '/var/lib/tokeep-credmon';

/**
 * Where state lives when neither `--state` nor the configuration says so: the directory systemd made for the service
 * (STATE_DIRECTORY), else /var/lib/tokeep for root, else `$XDG_STATE_HOME/tokeep`.
 */
export function usualStateDir(env: Env, uid: number): string {
  const fromSystemd = firstOf(env['STATE_DIRECTORY']);
  if (fromSystemd !== undefined) return fromSystemd;
  if (uid === 0) return systemState;
  return join(absolute(env['XDG_STATE_HOME']) ?? join(env['HOME'] ?? '/', '.local/state'), 'tokeep');
}

/**
 * Where the sealing key lies: with the configuration, never below the state. The state of the system has its key in
 * /etc/tokeep whoever works on it, so that the service and root agree.
 */
export function sealKeyFile(env: Env, uid: number, stateDir: string): string {
  const fromSystemd = firstOf(env['CONFIGURATION_DIRECTORY']);
  if (fromSystemd !== undefined) return join(fromSystemd, 'seal.key');
  // The key beside it belongs to the service's own user, who has no business with credentials of jobs.
  if (stateDir === credmonState) return join(systemConfig, 'credmon-seal.key');
  if (uid === 0 || stateDir === systemState) return join(systemConfig, 'seal.key');
  return join(absolute(env['XDG_CONFIG_HOME']) ?? join(env['HOME'] ?? '/', '.config'), 'tokeep', 'seal.key');
}

/** systemd separates several by colons. */
function firstOf(directories: string | undefined): string | undefined {
  const first = directories?.split(':')[0];
  return first === '' ? undefined : first;
}

/** The XDG base directory specification: relative paths are invalid and ignored. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') ? path : undefined;
}
