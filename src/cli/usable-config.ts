import type { Config, ConfigFinding } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';

/** Where refresh tokens lie, and what seals them: a mistake there must not send them to another place, or under another key. */
const vital = /^(store|seal|state|spool)(\.|$)/;

/** The first error that leaves the place of the state in doubt, or what seals it. */
export const vitalError = ({ findings }: Config): ConfigFinding | undefined =>
  findings.find(({ severity, section }) => severity === 'error' && section !== undefined && vital.test(section));

/**
 * Can something be done with the configuration? A section with an error is left out and the others go on; but nothing is
 * done when the place of the state is in doubt, or when nothing is left. Throws `config-invalid`.
 */
export function demandUsable(config: Config): void {
  const errors = config.findings.filter(({ severity }) => severity === 'error');
  const fatal = vitalError(config);
  const nothingLeft = config.accounts.size === 0 && config.wishes.size === 0 ? errors[0] : undefined;
  const finding: ConfigFinding | undefined = fatal ?? nothingLeft;
  if (finding === undefined) return;
  const why =
    fatal === undefined ? 'no section of it is usable' : `${fatal.section} says where state lies, or what seals it`;
  throw new Fault(finding.code, `the configuration ${config.file} cannot be worked with: ${why}`, {
    hint: 'see: tokeep config check',
  });
}

export const hasErrors = (config: Config): boolean => config.findings.some(({ severity }) => severity === 'error');
