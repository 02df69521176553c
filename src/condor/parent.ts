import { type CredentialName, credentialName } from './credential-name.ts';
import type { CredmonSettings } from './settings.ts';
import type { TopFile } from './top-file.ts';

/**
 * The credential that a handle lives on: the one without a handle. condor_vault_storer makes services of an issuer and a role
 * (`<issuer>_<role>`), so that only what follows the last `_` is a handle there, also where names are otherwise taken whole.
 */
export function parentOf(
  credential: CredentialName,
  top: TopFile,
  settings: Pick<CredmonSettings, 'specialNames'>,
): CredentialName | undefined {
  const { user, name, provider, handle } = credential;
  if (top.kind === 'vault') {
    const at = top.vaultToken === undefined ? name.lastIndexOf('_') : -1;
    return at > 0 ? credentialName(user, name.slice(0, at), settings) : undefined;
  }
  return top.kind === 'handle' && handle !== undefined ? credentialName(user, provider, settings) : undefined;
}
