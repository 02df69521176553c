import type { Account } from '../config/config.ts';
import { askedRights } from './asked-rights.ts';
import { accountNameOf } from './credential-name.ts';
import { leadTime } from './lead-time.ts';
import { newLogin } from './new-login.ts';
import { plainUrl } from './outside-url.ts';
import type { CredmonSettings } from './settings.ts';
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

export type MytokenTop = Extract<TopFile, { kind: 'mytoken' }>;

/** A mytoken of the user's own, sent to a server that the access point trusts. */
export function mytokenWish({ credential }: FoundTop, top: MytokenTop, settings: CredmonSettings): Understanding {
  const rights = askedRights(top);
  if (rights.kind === 'unfit') return unfit(settings, credential, rights.why);
  const account = mytokenAccount({ credential }, top, settings);
  if (isUnfit(account)) return account;
  const { scope, audience } = rights;
  const wish = wishFor(settings, credential, account, {
    scope,
    audience,
    minLifetime: leadTime(settings),
    form: 'json',
  });
  return { kind: 'wish', account, wish, shared: false };
}

/** It may rotate with each use; the successor goes into the `.top` file, which is its home. */
export function mytokenAccount(
  { credential }: Pick<FoundTop, 'credential'>,
  top: MytokenTop,
  settings: CredmonSettings,
): Account | Unfit {
  const unfitServer = whyUntrusted(top.server, settings.mytoken.servers);
  if (unfitServer !== undefined) return unfit(settings, credential, unfitServer.why, unfitServer);
  const { caFile } = settings.mytoken;
  return finishedAccount({
    ...accountTerms,
    grant: 'mytoken',
    name: accountNameOf(credential),
    newLogin: newLogin(credential, 'mytoken'),
    at: topPosition(settings, credential),
    issuer: { kind: 'of-credential' },
    server: top.server,
    mytoken: { kind: 'file', path: topPathOf(settings, credential), member: 'mytoken' },
    ...(caFile === undefined ? {} : { caFile }),
  });
}

/** A mytoken names its server itself, and whoever stores one can name any: only what the access point lists is asked. */
function whyUntrusted(server: string, servers: readonly string[] | undefined) {
  const url = plainUrl(server);
  if (typeof url === 'string') {
    return { why: `has the address of a mytoken server that ${url}`, code: 'credential-unfit' as const };
  }
  const { origin } = new URL(`https://${url.host}${url.port === undefined ? '' : `:${url.port}`}`);
  const hint = `if it is trusted, add ${origin} to TOKEEP_MYTOKEN_SERVERS and run condor_reconfig`;
  const code = 'server-untrusted' as const;
  if (servers === undefined) {
    const why = `names the mytoken server ${origin}, and TOKEEP_MYTOKEN_SERVERS is not set, so that none is trusted`;
    return { why, code, hint };
  }
  if (servers.includes(origin)) return undefined;
  return { why: `names the mytoken server ${origin}, which is not in TOKEEP_MYTOKEN_SERVERS`, code, hint };
}
