import type { Account } from '../config/config.ts';
import { askedRights } from './asked-rights.ts';
import { leadTime } from './lead-time.ts';
import { parentOf } from './parent.ts';
import type { CredmonSettings } from './settings.ts';
import type { TopFile } from './top-file.ts';
import { type FoundTop, isUnfit, type Understanding, type Unfit, unfit } from './understanding.ts';
import { mytokenAccount } from './wish-mytoken.ts';
import { oauth2Account } from './wish-oauth2.ts';
import { wishFor } from './wish-terms.ts';
import { vaultAccount, vaultTimes } from './wish-vault.ts';

/**
 * A handle without a credential of its own: a token of the account it belongs to, with what it asks for and no more. Here scope and audience
 * are sent, since they are to differ from those of the login.
 */
export function wishOfParent(
  { credential, top, parent, parentMeta: meta }: FoundTop,
  settings: CredmonSettings,
): Understanding {
  const owner = parentOf(credential, top, settings);
  if (owner === undefined) return unfit(settings, credential, 'holds no credential');
  if (parent === undefined) {
    return unfit(settings, credential, `holds no credential, and there is no ${owner.name}.top that it could use`, {
      hint: `${credential.user} stores one for ${owner.name} first`,
    });
  }
  const rights = askedRights(top.kind === 'handle' ? top : {});
  if (rights.kind === 'unfit') return unfit(settings, credential, rights.why);
  const found = { credential: owner, top: parent, ...(meta === undefined ? {} : { meta }) };
  const account = accountOf(found, parent, settings);
  if (account === undefined)
    return unfit(settings, credential, `holds no credential, and ${owner.name}.top has none to use`);
  if (isUnfit(account)) return account;
  const isVault = parent.kind === 'vault';
  const wish = wishFor(settings, credential, account, {
    scope: rights.scope,
    audience: rights.audience,
    ...(isVault ? vaultTimes(settings) : { minLifetime: leadTime(settings) }),
    form: isVault ? 'text' : 'json',
  });
  return { kind: 'wish', account, wish, shared: false };
}

function accountOf(found: FoundTop, top: TopFile, settings: CredmonSettings): Account | Unfit | undefined {
  switch (top.kind) {
    case 'oauth2':
      return oauth2Account(found, settings);
    case 'vault':
      return top.vaultToken === undefined ? undefined : vaultAccount(found, top, settings);
    case 'mytoken':
      return mytokenAccount(found, top, settings);
    default:
      return undefined;
  }
}
