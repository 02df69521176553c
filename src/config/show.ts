import { stringify } from 'yaml';
import { accountInput, settingsInput, type WriteSecret, wishInput } from './as-input.ts';
import type { Config } from './config.ts';

/** What is in force, in the form of `tokeep.yaml` with every default spelled out; `for_each` is filled in, secrets are hidden. */
export function effectiveInput(config: Config): Readonly<Record<string, unknown>> {
  const accounts = [...config.accounts].map(([name, account]) => [name, accountInput(account, hidden)]);
  const tokens = [...config.wishes].map(([name, wish]) => [name, wishInput(wish)]);
  return {
    accounts: Object.fromEntries(accounts),
    tokens: Object.fromEntries(tokens),
    ...settingsInput(config, hidden),
  };
}

/** {@link effectiveInput} as YAML. */
export function effectiveConfig(config: Config): string {
  const yaml = stringify(effectiveInput(config), { lineWidth: 0, aliasDuplicateObjects: false });
  return `# what is in force from ${config.file}\n${yaml}`;
}

const hidden: WriteSecret = (ref) => {
  switch (ref.kind) {
    case 'inline':
      return ref.secret.toString();
    case 'file':
      return { file: ref.path };
    case 'credential':
      return { credential: ref.name };
    case 'command':
      return { command: ref.argv };
  }
};
