import type { CredentialName } from './credential-name.ts';

/** Which is not among the programs that a user of Debian finds. */
export const placeOfProgram = 'condor_store_cred is in /usr/sbin on Debian';

/** What a user does at the access point to bring a new credential, by its kind; the old one is in the way of a new login (condor_credd). */
export function newLogin(
  { user, name, provider, handle }: CredentialName,
  kind: 'oauth2' | 'mytoken' | 'vault',
): string {
  const which = `-s ${provider}${handle === undefined ? '' : ` -H ${handle}`}`;
  switch (kind) {
    case 'oauth2':
      return `${user} runs: condor_store_cred delete-oauth ${which}, and submits again, which names the page to log in at (${placeOfProgram})`;
    case 'mytoken':
      return `${user} stores a new mytoken: condor_store_cred add-oauth ${which} -i FILE (${placeOfProgram})`;
    case 'vault':
      return `${user} gets a new one by submitting a job that uses ${name} (condor_vault_storer)`;
  }
}
