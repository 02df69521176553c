import type { IssuerUrl } from '../token/names.ts';
import { sharedAccountName } from './credential-name.ts';
import { grantedRights } from './granted-rights.ts';
import { leadTime } from './lead-time.ts';
import type { CredmonSettings } from './settings.ts';
import { sharedAccount } from './shared-account.ts';
import { type FoundTop, isUnfit, type OwnPart, type Understanding, unfit } from './understanding.ts';
import { accountTerms, finishedAccount, wishFor } from './wish-terms.ts';

/** The access point's own issuer signs; whose token it is says the directory, whatever the `.top` file has in it. */
export function localWish(found: FoundTop, settings: CredmonSettings, own: OwnPart): Understanding {
  const { credential } = found;
  const { provider, user } = credential;
  const local = settings.local(provider);
  if (local === undefined || own.issuer === undefined) {
    return unfit(settings, credential, `is for the local issuer ${provider}, which is not ready`, {
      code: 'config-invalid',
      hint: 'what is wrong with its settings (LOCAL_CREDMON_…) is said beside this',
    });
  }
  const rights = grantedRights(found, own, local.audience, settings);
  if (isUnfit(rights)) return rights;
  const { issuer: keys } = own;
  const account = sharedAccount(settings, provider, () =>
    finishedAccount({
      ...accountTerms,
      grant: 'signing_key',
      name: sharedAccountName(provider),
      at: { file: settings.directory, line: 1, column: 1 },
      issuer: { kind: 'discovered', issuer: local.issuer as IssuerUrl },
      keys,
      profile: local.profile,
    }),
  );
  const { lifetime, json } = local;
  const wish = wishFor(settings, credential, account, {
    scope: rights.scope,
    audience: rights.audience,
    lifetime,
    subject: user,
    minLifetime: leadTime(settings, lifetime),
    form: json ? 'json' : 'text',
  });
  return { kind: 'wish', account, wish, shared: true };
}
