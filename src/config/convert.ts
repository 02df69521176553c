import { Document, isMap, type YAMLMap } from 'yaml';
import type { ClientSecret } from '../token/secret.ts';
import { accountInput, type Input, type WriteSecret, wishInput } from './as-input.ts';
import type { Account, Config } from './config.ts';

/** A secret that stood in the ini and has to be put into a file of its own, mode 0600 or 0640. */
export interface SecretFile {
  readonly path: string;
  readonly secret: ClientSecret;
}
export interface Converted {
  readonly yaml: string;
  readonly secretFiles: readonly SecretFile[];
}

/** What `tokeep.yaml` takes for granted, and need not be written. */
const defaults: Readonly<Record<string, unknown>> = {
  audience_style: 'auto',
  client_auth: 'client_secret_basic',
  secret_encoding: 'form',
  timeout: '30s',
  renew: 'due-point',
  mode: '0600',
  existing: 'set',
  in_place: false,
};

/** OSG's `config.ini`, once read, as a `tokeep.yaml` that behaves the same. Accounts and tokens with errors are not in it. */
export function convertOsgToYaml(config: Config, secretDirectory = '/etc/tokeep/secrets'): Converted {
  const secretFiles: SecretFile[] = [];
  const accounts = new Map([...config.accounts].map(([name, account]) => [name, accountOf(account)]));
  const tokens = new Map([...config.wishes].map(([name, wish]) => [name, plain(wishInput(wish))]));
  const document = new Document({ accounts, tokens }, { aliasDuplicateObjects: false });
  document.commentBefore = ` Made by \`tokeep config convert\` from ${config.file}; it behaves the same.`;
  for (const { path } of secretFiles) noteAbove(document, path);
  return { yaml: document.toString({ lineWidth: 0 }), secretFiles };

  function accountOf(account: Account): Input {
    const write: WriteSecret = (ref) => {
      if (ref.kind === 'file') return { file: ref.path };
      if (ref.kind === 'credential') return { credential: ref.name };
      if (ref.kind === 'command') return { command: ref.argv };
      const path = `${secretDirectory}/${account.name}`;
      secretFiles.push({ path, secret: ref.secret });
      return { file: path };
    };
    return plain(accountInput(account, write));
  }
}

function plain(input: Input): Input {
  const kept = Object.entries(input).filter(([key, value]) => !(key in defaults) || defaults[key] !== value);
  return Object.fromEntries(
    kept.map(([key, value]) => {
      if (key === 'deliver') return [key, (value as readonly Input[]).map(plain)];
      const single = key === 'audience' && Array.isArray(value) && value.length === 1 && !/[\s,]/.test(value[0]);
      return [key, single ? (value as readonly unknown[])[0] : value];
    }),
  );
}

/** Says beside a reference what has to be written where. */
function noteAbove(document: Document, path: string): void {
  const accounts = document.get('accounts') as YAMLMap;
  for (const { value } of accounts.items) {
    if (!isMap(value)) continue;
    const pair = value.items.find(({ key }) => String(key) === 'client_secret');
    const named = isMap(pair?.value) && pair.value.get('file') === path;
    if (named)
      (pair?.key as { commentBefore?: string }).commentBefore =
        ` put the client secret into this file, readable by tokeep only`;
  }
}
