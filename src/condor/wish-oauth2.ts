import type { Account, ClientAuth, IssuerRef } from '../config/config.ts';
import { askedRights } from './asked-rights.ts';
import { accountNameOf, type CredentialName } from './credential-name.ts';
import { leadTime } from './lead-time.ts';
import { newLogin } from './new-login.ts';
import { unfitOutsideUrl } from './outside-url.ts';
import type { CredmonSettings, OAuth2Provider } from './settings.ts';
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

type OAuth2Top = Extract<TopFile, { kind: 'oauth2' }>;

/**
 * A refresh token of the user's own. Neither scope nor audience is sent with it: the shipped credmon sends none either, and it is what
 * keeps the token the same as at the login. Without them the issuer gives what was granted then (RFC 6749 section 6), which may be less
 * than what was asked, so that asking for all of it again would be refused; and where the code was exchanged without `resource`, so must
 * the refresh token be (RFC 8707 section 2.2).
 */
export function oauth2Wish(found: FoundTop, top: OAuth2Top, settings: CredmonSettings): Understanding {
  const { credential } = found;
  const rights = askedRights(top);
  if (rights.kind === 'unfit') return unfit(settings, credential, rights.why);
  const account = oauth2Account(found, settings);
  if (isUnfit(account)) return account;
  const wish = wishFor(settings, credential, account, {
    scope: { kind: 'absent' },
    audience: { audiences: [] },
    stored: rights,
    minLifetime: leadTime(settings),
    form: 'json',
  });
  return { kind: 'wish', account, wish, shared: false };
}

/** The account of a user's refresh token; of a handle without one, that of the credential it lives on. */
export function oauth2Account(
  { credential, meta }: Pick<FoundTop, 'credential' | 'meta'>,
  settings: CredmonSettings,
): Account | Unfit {
  const client = configuredClient(settings.oauth2(credential.provider)) ?? clientOfMeta(credential, meta, settings);
  if (isUnfit(client)) return client;
  const { issuer, clientId, clientAuth } = client;
  return finishedAccount({
    ...accountTerms,
    grant: 'refresh_token',
    name: accountNameOf(credential),
    newLogin: newLogin(credential, 'oauth2'),
    at: topPosition(settings, credential),
    issuer,
    client: { clientId, clientAuth },
  });
}

/** `use_refresh_token: false` is in a `.meta` where the login brought no refresh token: such a token ends, and is left alone until then. */
export const neverRenewed = (settings: CredmonSettings, credential: CredentialName): Unfit =>
  unfit(settings, credential, 'came with no refresh token from the login, so that its token ends and is not renewed', {
    hint: `the issuer has to give refresh tokens to this client (scope offline_access at many); ${credential.user} logs in again by submitting a job once the token has ended`,
  });

interface Client {
  readonly issuer: IssuerRef;
  readonly clientId: string;
  readonly clientAuth: ClientAuth;
}

/** Id and secret go in the body, as the shipped credmon sends them. */
function configuredClient(provider: OAuth2Provider | undefined): Client | undefined {
  if (provider === undefined) return undefined;
  const { clientId, clientSecret: secret, tokenUrl: url, issuer } = provider;
  return {
    issuer: issuer === undefined ? { kind: 'token-endpoint', url } : { kind: 'discovered', issuer },
    clientId,
    clientAuth: secret === undefined ? { kind: 'none' } : { kind: 'client_secret_post', secret },
  };
}

/** Logins of a provider that HTCondor's configuration does not name any more, as long as the shipped web login left its notes. */
function clientOfMeta(credential: CredentialName, meta: FoundTop['meta'], settings: CredmonSettings): Client | Unfit {
  if (meta === undefined) {
    return unfit(settings, credential, `needs a client of ${credential.provider}, and the configuration has none`, {
      code: 'config-invalid',
      hint: `set ${credential.provider}_CLIENT_ID, ${credential.provider}_CLIENT_SECRET_FILE and ${credential.provider}_TOKEN_URL, and run condor_reconfig`,
    });
  }
  const notes = topPathOf(settings, credential).replace(/top$/, 'meta');
  if (meta.kind === 'unreadable') return unfit(settings, credential, `needs its client, and ${notes} ${meta.why}`);
  const why = unfitOutsideUrl(meta.tokenUrl);
  if (why !== undefined) return unfit(settings, credential, `needs its client, and the token_url in ${notes} ${why}`);
  if (!/^[\x21-\x7e]{1,1024}$/.test(meta.clientId)) {
    return unfit(settings, credential, `needs its client, and the client_id in ${notes} cannot be sent`);
  }
  const secret = { kind: 'file', path: notes, member: 'client_secret' } as const;
  return {
    issuer: { kind: 'token-endpoint', url: meta.tokenUrl },
    clientId: meta.clientId,
    clientAuth: meta.clientSecret === undefined ? { kind: 'none' } : { kind: 'client_secret_post', secret },
  };
}
