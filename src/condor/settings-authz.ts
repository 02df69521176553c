import type { KnobReader } from './knob-reader.ts';
import type { AuthzTemplate } from './settings.ts';

const defaultTemplate = 'read:/user/{username} write:/user/{username}';

/** The names of a knob that a provider may have for itself. */
export type ProviderKnob = (name: string) => readonly [ofOne: string, ofAll: string];

/** A knob that a provider may have for itself: `LOCAL_CREDMON_<PROVIDER>_X` before `LOCAL_CREDMON_X`. */
export const ofProvider =
  (kind: 'LOCAL' | 'CLIENT', provider: string): ProviderKnob =>
  (name) => [`${kind}_CREDMON_${provider}_${name}`, `${kind}_CREDMON_${name}`];

/** AUTHZ_*; undefined if what should keep users out could not do so. */
export function readAuthz(reader: KnobReader, knob: ProviderKnob): AuthzTemplate | undefined {
  const groupTemplate = reader.text(knob('AUTHZ_GROUP_TEMPLATE'));
  const groupMapfile = reader.path(knob('AUTHZ_GROUP_MAPFILE'));
  const groupRequirement = reader.text(knob('AUTHZ_GROUP_REQUIREMENT'));
  const expression = reader.text(knob('AUTHZ_TEMPLATE_EXPR'));
  const mapfileKnob = knob('AUTHZ_GROUP_MAPFILE')[0];
  if (groupMapfile === undefined && groupRequirement !== undefined) {
    reader.error(mapfileKnob, `a group is required, but ${mapfileKnob} does not say who is in it`);
    return undefined;
  }
  if (groupMapfile === undefined && groupTemplate !== undefined) {
    reader.warn(
      mapfileKnob,
      `there is a template for groups, but ${mapfileKnob} does not say who is in them; it is left out`,
    );
  }
  return {
    template: reader.text(knob('AUTHZ_TEMPLATE')) ?? defaultTemplate,
    ...(expression === undefined ? {} : { expression }),
    ...(groupTemplate === undefined || groupMapfile === undefined ? {} : { groupTemplate }),
    ...(groupMapfile === undefined ? {} : { groupMapfile }),
    ...(groupRequirement === undefined ? {} : { groupRequirement }),
  };
}
