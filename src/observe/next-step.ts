import type { Account, SecretRef } from '../config/config.ts';
import type { FaultCode } from '../fault/codes.ts';

/** A name as one word of a shell command, quoted only where it must be. */
export const word = (name: string): string =>
  /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;

/** What a person does to bring an account's login back. */
export function loginHint(account: Account): string {
  if (account.newLogin !== undefined) return account.newLogin;
  switch (account.grant) {
    case 'mytoken':
      return `put a new mytoken into ${placeOf(account.mytoken)}, then run: tokeep renew`;
    case 'vault':
      return `get a new vault token (htgettoken) into ${placeOf(account.vaultToken)}, then run: tokeep renew`;
    case 'oidc_agent':
      return `run: oidc-add ${word(account.shortname)}`;
    default:
      return `run: tokeep account login ${word(account.name)}`;
  }
}

function placeOf(secret: SecretRef): string {
  switch (secret.kind) {
    case 'file':
      return secret.path;
    case 'credential':
      return `the systemd credential ${secret.name}`;
    case 'command':
      return `the place ${secret.argv[0] ?? 'its command'} reads`;
    case 'inline':
      return 'the configuration';
  }
}

/** What to do next about a trouble that brought no hint of its own. */
export function hintFor(code: FaultCode, account: Account | undefined, name: string): string | undefined {
  switch (code) {
    case 'login-needed':
    case 'login-suspended':
      return account === undefined ? undefined : loginHint(account);
    case 'client-refused':
      return `check client id and secret of account ${name}, then run: tokeep renew`;
    case 'request-refused':
      return 'check scope and audience, then run: tokeep config check --online';
    case 'issuer-tls':
    case 'issuer-mismatch':
    case 'issuer-unsupported':
      return 'run: tokeep config check --online';
    case 'seal-wrong-key':
    case 'seal-damaged':
      return `bring the right sealing key back, or run: tokeep account login ${word(name)}`;
    case 'successor-unsaved':
      return 'make room on the disk of the state directory and leave tokeep running until this is over';
    default:
      return undefined;
  }
}
