import type { CredmonSettings } from '../condor/settings.ts';
import type { Context } from './context.ts';
import { type ReadSettings, readCredmonSettings } from './credmon-settings.ts';

export interface WebPlaces {
  readonly condorBin?: string;
}

export interface ReadWebSettings extends ReadSettings {
  readonly web: CredmonSettings['web'];
}

/** HTCondor's configuration for the web login, whose state `--state` names. Throws `condor-unreadable`. */
export async function readWebSettings(context: Context, places: WebPlaces): Promise<ReadWebSettings> {
  const { state } = context.options;
  const { settings, knobs } = await readCredmonSettings(context.world, places, {});
  const web = { ...settings.web, ...(state === undefined ? {} : { state }) };
  return { settings: { ...settings, web }, knobs, web };
}
