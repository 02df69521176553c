import type { Account, AudienceWish, ScopeWish, UseTarget, Wish } from '../config/config.ts';
import { accountFingerprint, wishFingerprint } from '../config/fingerprint.ts';
import type { Scope } from '../token/names.ts';
import type { Secret } from '../token/secret.ts';
import { type Millis, seconds } from '../token/time.ts';
import { type CredentialName, wishNameOf } from './credential-name.ts';
import type { CredmonSettings } from './settings.ts';
import { topPosition } from './understanding.ts';

/** What all accounts of the room have in common. */
export const accountTerms = { audienceStyle: 'auto', timeout: seconds(30) } as const;

/** What distinguishes the accounts of one kind, without what follows from it. */
type Draft = Account extends infer One ? (One extends Account ? Omit<One, 'fingerprint'> : never) : never;

/**
 * @param shown a credential that lies in a file and never rotates: with another one, old failures say nothing any more
 */
export function finishedAccount(draft: Draft, shown?: Secret): Account {
  const fingerprint = accountFingerprint(shown === undefined ? draft : { ...draft, shown });
  return { ...draft, fingerprint } as Account;
}

/** What is asked of the account for one credential. */
export interface Asked {
  readonly scope: ScopeWish;
  readonly audience: AudienceWish;
  readonly extraScopes?: readonly Scope[];
  readonly lifetime?: Millis;
  readonly subject?: string;
  readonly minLifetime: Millis;
  /** As the shipped credmon of its kind writes it. */
  readonly form: UseTarget['form'];
  /** What the user asked for, where less of it is sent: with other words there, the token at hand is not the one wished. */
  readonly stored?: { readonly scope: ScopeWish; readonly audience: AudienceWish };
  /** As in {@link finishedAccount}. */
  readonly shown?: Secret;
}

/** The wish that keeps `<user>/<name>.use` fresh. */
export function wishFor(settings: CredmonSettings, credential: CredentialName, account: Account, asked: Asked): Wish {
  const {
    scope,
    audience,
    extraScopes,
    lifetime,
    subject,
    minLifetime,
    form,
    stored = { scope, audience },
    shown,
  } = asked;
  const terms = { ...(lifetime === undefined ? {} : { lifetime }), ...(subject === undefined ? {} : { subject }) };
  const fingerprint = wishFingerprint({ account: account.name, ...stored, ...terms });
  return {
    name: wishNameOf(credential),
    at: topPosition(settings, credential),
    account: account.name,
    scope,
    audience,
    ...(extraScopes === undefined ? {} : { extraScopes }),
    ...terms,
    minLifetime,
    freshness: 'due-point',
    targets: [useTarget(settings, credential, settings.json ? form : 'text')],
    fingerprint: shown === undefined ? fingerprint : `${fingerprint}.${shown.fingerprint.slice(0, 16)}`,
  };
}

/** In another form the same token is to be written anew, so that it is another target. */
const useTarget = (
  { directory }: CredmonSettings,
  { user, name }: CredentialName,
  form: UseTarget['form'],
): UseTarget => ({
  kind: 'use',
  id: `use:${user}/${name}${form === 'text' ? ':bare' : ''}`,
  directory,
  user,
  name,
  form,
  mode: 0o400,
});
