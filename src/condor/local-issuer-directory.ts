import { createHash } from 'node:crypto';
import { readSettings, settingsFile } from '../mint/settings.ts';
import type { World } from '../world/world.ts';
import type { LocalProvider } from './settings.ts';

/**
 * `<state>/local/<provider>`, and beside it, with a mark of its URL, that of another ISSUER: keys and audit log go with an issuer, and what
 * one has signed stays on record when the knob is changed. Throws Fault `config-invalid` for an issuer.yaml that does not read.
 */
export async function localIssuerDirectory(
  world: World,
  state: string,
  { provider, issuer }: Pick<LocalProvider, 'provider' | 'issuer'>,
): Promise<string> {
  const usual = `${state}/local/${provider}`;
  if (!(await hasSettings(world, usual)) || (await readSettings(world, usual)).url === issuer) return usual;
  return `${usual}@${createHash('sha256').update(issuer).digest('hex').slice(0, 12)}`;
}

export const hasSettings = async (world: World, directory: string): Promise<boolean> =>
  (await world.files.look(settingsFile(directory))) !== undefined;
