import { hostname } from 'node:os';

/** This node among those that share a database: `TOKEEP_NODE`, where host names do not tell them apart, else the host's name. */
export function nodeName(env: Readonly<Record<string, string | undefined>>): string {
  const named = env['TOKEEP_NODE'];
  return named === undefined || named === '' ? hostname() : named;
}
