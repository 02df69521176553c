import type { IssuerRef, ScopeWish } from '../config/config.ts';
import type { Scope } from '../token/names.ts';
import { sharedAccountName } from './credential-name.ts';
import { grantedRights } from './granted-rights.ts';
import { leadTime } from './lead-time.ts';
import type { ClientProvider, CredmonSettings } from './settings.ts';
import { sharedAccount } from './shared-account.ts';
import { type FoundTop, isUnfit, type OwnPart, type Understanding, unfit } from './understanding.ts';
import { accountTerms, finishedAccount, wishFor } from './wish-terms.ts';

/**
 * The access point's own client asks for a user: with the scopes of the templates, and with `condor.user:<user>`, by which HTCondor's own
 * credmon means to tell the issuer whose jobs it is for; an issuer that leaves it out is no worse. As there, id and secret go in the body, and audiences in one `audience`.
 */
export function clientWish(found: FoundTop, settings: CredmonSettings, own: OwnPart): Understanding {
  const { credential } = found;
  const client = settings.client(credential.provider);
  const issuer = client === undefined ? undefined : issuerOf(client);
  if (client === undefined || issuer === undefined) {
    return unfit(
      settings,
      credential,
      `is for client credentials of ${credential.provider}, which are not configured`,
      {
        code: 'config-invalid',
        hint: 'what is wrong with the settings (CLIENT_CREDMON_…) is said beside this',
      },
    );
  }
  const rights = grantedRights(found, own, client.audience, settings);
  if (isUnfit(rights)) return rights;
  const { clientId, clientSecret: secret } = client;
  const account = sharedAccount(settings, credential.provider, () =>
    finishedAccount({
      ...accountTerms,
      audienceStyle: 'audience',
      grant: 'client_credentials',
      name: sharedAccountName(credential.provider),
      at: { file: settings.directory, line: 1, column: 1 },
      issuer,
      clientId,
      clientAuth: secret === undefined ? { kind: 'none' } : { kind: 'client_secret_post', secret },
    }),
  );
  const forUser = `condor.user:${encodeURIComponent(credential.user)}` as Scope;
  const wish = wishFor(settings, credential, account, {
    scope: withUser(rights.scope, forUser),
    extraScopes: [forUser],
    audience: rights.audience,
    minLifetime: leadTime(settings),
    form: 'json',
  });
  return { kind: 'wish', account, wish, shared: true };
}

const withUser = (scope: ScopeWish, forUser: Scope): ScopeWish => {
  const scopes = scope.kind === 'scopes' ? scope.scopes : [];
  return { kind: 'scopes', scopes: [...scopes, forUser] };
};

function issuerOf({ issuer, tokenUrl: url }: ClientProvider): IssuerRef | undefined {
  if (url !== undefined) return { kind: 'token-endpoint', url };
  return issuer === undefined ? undefined : { kind: 'discovered', issuer };
}
