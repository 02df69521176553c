import { isMap, parseDocument, stringify } from 'yaml';
import type { z } from 'zod';
import { Fault } from '../fault/fault.ts';
import type { ClientSecret } from '../token/secret.ts';
import type { accountSchema } from './schema-accounts.ts';
import type { tokenSchema } from './schema-tokens.ts';

/** An account as it is written in `tokeep.yaml`. */
export type AccountKeys = z.input<typeof accountSchema>;
export type TokenKeys = z.input<typeof tokenSchema>;

/** The section as text, to show it or to paste it by hand. */
export function accountSection(name: string, account: AccountKeys): string {
  return stringify({ accounts: { [name]: account } }, { lineWidth: 0 });
}

/** Does the text of a `tokeep.yaml` have an account of that name already? */
export function hasAccountSection(yaml: string, name: string): boolean {
  return parseDocument(yaml).hasIn(['accounts', name]);
}

/** Adds an account to the text of a `tokeep.yaml`, or replaces the one of that name; everything else, comments too, stays. */
export function insertAccountSection(yaml: string, name: string, account: AccountKeys): string {
  return insert(yaml, 'accounts', name, account);
}

/** Likewise for a token. */
export function insertTokenSection(yaml: string, name: string, token: TokenKeys): string {
  return insert(yaml, 'tokens', name, token);
}

function insert(yaml: string, group: 'accounts' | 'tokens', name: string, section: object): string {
  const document = parseDocument(yaml);
  if (document.errors.length > 0) {
    throw new Fault('config-invalid', `the configuration is not YAML, so "${name}" cannot be added to it`, {
      hint: 'run `tokeep config check`, or add the section by hand',
    });
  }
  // An empty `accounts:` is there and holds a null, which nothing can be put into.
  if (isMap(document.contents) && document.get(group) === undefined) document.set(group, document.createNode({}));
  try {
    document.setIn([group, name], document.createNode(section));
  } catch {
    throw new Fault(
      'config-invalid',
      `"${group}" of the configuration is not a mapping, so "${name}" cannot be added to it`,
    );
  }
  return document.toString({ lineWidth: 0 });
}

export type OsgAccount =
  | { readonly kind: 'oidc'; readonly name: string; readonly passwordFile: string }
  | {
      readonly kind: 'client-credentials';
      readonly name: string;
      readonly tokenRequestUrl: string;
      readonly clientId: string;
      readonly clientSecret: ClientSecret;
    };

/** The section for OSG's `config.ini`, secret and all, as `osg-token-renewer-setup` prints it. */
export function osgAccountSection(account: OsgAccount): string {
  const lines =
    account.kind === 'oidc'
      ? [`password_file = ${account.passwordFile}`]
      : [
          `token_request_url = ${account.tokenRequestUrl}`,
          `client_id = ${account.clientId}`,
          `client_secret = ${account.clientSecret.reveal()}`,
        ];
  // Python's configparser reads a single % as the start of a reference.
  return [`[account ${account.name}]`, ...lines.map((line) => line.replaceAll('%', '%%')), ''].join('\n');
}
