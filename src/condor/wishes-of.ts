import type { CredmonSettings, ProviderKind } from './settings.ts';
import type { TopFile } from './top-file.ts';
import { type FoundTop, type OwnPart, type Understanding, unfit } from './understanding.ts';
import { broughtWish } from './wish-brought.ts';
import { clientWish } from './wish-client.ts';
import { localWish } from './wish-local.ts';
import { mytokenWish } from './wish-mytoken.ts';
import { neverRenewed, oauth2Wish } from './wish-oauth2.ts';
import { wishOfParent } from './wish-of-parent.ts';
import { vaultWish } from './wish-vault.ts';

export type { FoundTop, OwnPart, Understanding } from './understanding.ts';

/** What a credential of a user is for the renewer's engine. Pure; whatever is wrong with one says nothing about the others. */
export function wishOf(found: FoundTop, settings: CredmonSettings, own: OwnPart = {}): Understanding {
  const kind = kindOf(found, settings);
  switch (kind) {
    case undefined:
      return { kind: 'ignored' };
    case 'local':
      return localWish(found, settings, own);
    case 'client':
      return clientWish(found, settings, own);
    default:
      return usersOwn(found, kind, settings);
  }
}

/** Of a name that no list has, the `.top` says what it is; a handle is of the kind of what it lives on. */
function kindOf({ credential, top, parent }: FoundTop, settings: CredmonSettings): ProviderKind | undefined {
  const { provider } = credential;
  if (top.kind !== 'access_token')
    return settings.kindOf(provider, lookOf(top.kind === 'handle' ? (parent ?? top) : top));
  // A pushed access token may be of any issuer: all that counts is that nobody else has the name (Pelican keeps such tokens, too).
  return settings.kindOf(provider, 'oauth2') ?? settings.kindOf(provider, 'vault');
}

const lookOf = ({ kind }: TopFile) => (kind === 'oauth2' || kind === 'vault' || kind === 'mytoken' ? kind : 'other');

const needed = {
  oauth2: 'no refresh_token',
  vault: 'no vault_url',
  mytoken: 'no mytoken',
} as const;

function usersOwn(found: FoundTop, kind: keyof typeof needed, settings: CredmonSettings): Understanding {
  const { credential, top, meta } = found;
  if (top.kind === 'unreadable') {
    // Where there is a refresh token now, such a note is of an older login.
    const ends = meta?.kind === 'meta' && !meta.useRefreshToken;
    return ends ? neverRenewed(settings, credential) : unfit(settings, credential, top.why);
  }
  if (top.kind === 'access_token') return broughtWish(found, top, settings);
  if (top.kind === 'handle') return wishOfParent(found, settings);
  if (top.kind === 'oauth2' && kind === 'oauth2') return oauth2Wish(found, top, settings);
  if (top.kind === 'vault' && kind === 'vault') return vaultWish(found, top, settings);
  if (top.kind === 'mytoken' && kind === 'mytoken') return mytokenWish(found, top, settings);
  return unfit(settings, credential, `holds ${needed[kind]}, which tokens of ${credential.provider} are got with`);
}
