import { after } from '../token/time.ts';
import { accountNameOf } from './credential-name.ts';
import { leadTime } from './lead-time.ts';
import type { CredmonSettings } from './settings.ts';
import type { TopFile } from './top-file.ts';
import { type FoundTop, topPathOf, topPosition, type Understanding } from './understanding.ts';
import { accountTerms, finishedAccount, wishFor } from './wish-terms.ts';

/**
 * An access token that somebody pushed with condor_store_cred: HTCondor up to 24.7 puts it into `.top`, later ones into `.use` themselves. It
 * is handed on; nobody here can get the next one.
 */
export function broughtWish(
  { credential, writtenAt }: FoundTop,
  top: Extract<TopFile, { kind: 'access_token' }>,
  settings: CredmonSettings,
): Understanding {
  const { accessToken: shown, expiresIn } = top;
  const counted = writtenAt === undefined || expiresIn === undefined ? undefined : after(writtenAt, expiresIn);
  const expiresAt = top.expiresAt ?? counted;
  const account = finishedAccount(
    {
      ...accountTerms,
      grant: 'held_token',
      name: accountNameOf(credential),
      at: topPosition(settings, credential),
      issuer: { kind: 'of-credential' },
      token: { kind: 'file', path: topPathOf(settings, credential), member: 'access_token' },
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
    shown,
  );
  const wish = wishFor(settings, credential, account, {
    scope: { kind: 'absent' },
    audience: { audiences: [] },
    minLifetime: leadTime(settings),
    form: 'json',
    shown,
  });
  return { kind: 'wish', account, wish, shared: false };
}
