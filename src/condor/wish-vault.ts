import type { Account } from '../config/config.ts';
import { askedRights } from './asked-rights.ts';
import { accountNameOf, type CredentialName } from './credential-name.ts';
import { leadTime } from './lead-time.ts';
import { newLogin } from './new-login.ts';
import { type PlainUrl, plainUrl } from './outside-url.ts';
import { parentOf } from './parent.ts';
import type { CredmonSettings } from './settings.ts';
import { trustsVault } from './settings-vault.ts';
import type { TopFile } from './top-file.ts';
import {
  type FoundTop,
  isUnfit,
  topPathOf,
  topPosition,
  type Understanding,
  type Unfit,
  unfit,
} from './understanding.ts';
import { accountTerms, finishedAccount, wishFor } from './wish-terms.ts';

export type VaultTop = Extract<TopFile, { kind: 'vault' }>;

/** The port of Vault, where TRUSTED_VAULT_HOSTS does not name another one; the shipped credmon knows no other. */
const usualPort = 8200;

/** A vault token of the user's own, or of the credential that a handle lives on. */
export function vaultWish(found: FoundTop, top: VaultTop, settings: CredmonSettings): Understanding {
  const { credential } = found;
  const rights = askedRights(top);
  if (rights.kind === 'unfit') return unfit(settings, credential, rights.why);
  const account = vaultAccount(found, top, settings);
  if (isUnfit(account)) return account;
  const shown = vaultTokenOf(found, top);
  const wish = wishFor(settings, credential, account, {
    scope: rights.scope,
    audience: rights.audience,
    ...vaultTimes(settings),
    form: 'text',
    ...(shown === undefined ? {} : { shown }),
  });
  return { kind: 'wish', account, wish, shared: false };
}

/** `lifetime` is the `minimum_seconds` that the vault is asked for: it hands a token out as long as so much of it is left. */
export function vaultTimes(settings: CredmonSettings) {
  const lead = leadTime(settings);
  const { minimum } = settings.vault;
  return { lifetime: minimum, minLifetime: minimum > lead ? minimum : lead };
}

/** The vault token is read from its `.top` file whenever it is sent, and is kept nowhere else. */
export function vaultAccount(found: FoundTop, top: VaultTop, settings: CredmonSettings): Account | Unfit {
  const { credential } = found;
  const place = vaultPlace(top.vaultUrl, settings);
  if (place.kind === 'refused') return unfit(settings, credential, place.why, place);
  const holder = top.vaultToken === undefined ? parentOf(credential, top, settings) : credential;
  const shown = vaultTokenOf(found, top);
  if (holder === undefined || shown === undefined) return noVaultToken(settings, credential, holder);
  const { server, secretPath } = place;
  const { caFile } = settings.vault;
  return finishedAccount(
    {
      ...accountTerms,
      grant: 'vault',
      name: accountNameOf(credential),
      newLogin: newLogin(credential, 'vault'),
      at: topPosition(settings, credential),
      issuer: { kind: 'of-credential' },
      server,
      secretPath,
      vaultToken: { kind: 'file', path: topPathOf(settings, holder), member: 'vault_token' },
      ...(caFile === undefined ? {} : { caFile }),
    },
    shown,
  );
}

const vaultTokenOf = ({ parent }: FoundTop, top: VaultTop) =>
  top.vaultToken ?? (parent?.kind === 'vault' ? parent.vaultToken : undefined);

const noVaultToken = (
  settings: CredmonSettings,
  credential: CredentialName,
  holder: CredentialName | undefined,
): Unfit =>
  unfit(
    settings,
    credential,
    holder === undefined
      ? 'has no vault_token, and there is nothing that it could belong to'
      : `has no vault_token, and neither has ${topPathOf(settings, holder)}`,
    { hint: `${credential.user} gets a new one by submitting a job (condor_vault_storer)` },
  );

type VaultPlace =
  | { readonly kind: 'place'; readonly server: string; readonly secretPath: string }
  | {
      readonly kind: 'refused';
      readonly why: string;
      readonly code: 'credential-unfit' | 'server-untrusted';
      readonly hint: string;
    };

/** Users write `vault_url` themselves: nothing goes to a host that the access point does not trust, and nothing to another port. */
function vaultPlace(text: string, settings: CredmonSettings): VaultPlace {
  const url = plainUrl(text);
  const mend = 'the URL is https://HOST:8200/v1/…, as htgettoken --showbearerurl prints it';
  if (typeof url === 'string')
    return { kind: 'refused', why: `has a vault_url that ${url}`, code: 'credential-unfit', hint: mend };
  const untrusted = whyUntrusted(url, settings.vault.hosts);
  if (untrusted !== undefined) return { kind: 'refused', code: 'server-untrusted', ...untrusted };
  const secretPath = /^\/v1\/(.+?)\/?$/.exec(url.path)?.[1];
  if (secretPath === undefined) {
    return {
      kind: 'refused',
      why: 'has a vault_url whose path does not begin with /v1/',
      code: 'credential-unfit',
      hint: mend,
    };
  }
  return { kind: 'place', server: `https://${url.host}:${url.port ?? 443}`, secretPath };
}

function whyUntrusted({ host, port = 443 }: PlainUrl, hosts: readonly string[] | undefined) {
  const hint = `if it is trusted, add ${host} to TRUSTED_VAULT_HOSTS and run condor_reconfig`;
  if (hosts === undefined) {
    return { why: `names the vault ${host}, and TRUSTED_VAULT_HOSTS is not set, so that no vault is trusted`, hint };
  }
  if (!trustsVault(hosts, new URL(`https://${host}:${port}`))) {
    return { why: `names the vault ${host}, which is not in TRUSTED_VAULT_HOSTS`, hint };
  }
  if (port === usualPort || hosts.includes(`${host}:${port}`)) return undefined;
  const why = `names port ${port} of the vault ${host}, and only ${usualPort} is trusted there`;
  return { why, hint: `if a vault listens there, add ${host}:${port} to TRUSTED_VAULT_HOSTS and run condor_reconfig` };
}
