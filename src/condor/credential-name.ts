import type { AccountName, WishName } from '../token/names.ts';

/**
 * A credential of a user in the credential directory: `<user>/<provider>.top`, or `<user>/<provider>_<handle>.top`. The first `_`
 * separates provider and handle, unless CREDMON_ALLOW_SPECIAL_CHAR_NAMES: then names are taken whole and there are no handles.
 */
export interface CredentialName {
  /** The owner of the jobs, without `@domain`. */
  readonly user: string;
  /** As in the file name. */
  readonly name: string;
  readonly provider: string;
  readonly handle?: string;
}

/** What condor_credd lets users, services and handles be made of. */
const fit = /^[A-Za-z0-9\-+=_.]+$/;

/** Undefined for what condor_credd would not have made: such files are left alone. */
export function credentialName(
  user: string,
  name: string,
  { specialNames }: { readonly specialNames: boolean },
): CredentialName | undefined {
  if (!isFit(user) || !isFit(name)) return undefined;
  const at = specialNames ? -1 : name.indexOf('_');
  if (at === -1) return { user, name, provider: name };
  const [provider, handle] = [name.slice(0, at), name.slice(at + 1)];
  return provider === '' || handle === '' ? undefined : { user, name, provider, handle };
}

/** Fit for a file name of the directory; `.` and `..` are none. */
export const isFit = (text: string): boolean => fit.test(text) && text !== '.' && text !== '..' && text.length <= 200;

/** The wish that keeps `<user>/<name>.use` fresh; its account, where the user has one of their own, has the same name. */
export const wishNameOf = ({ user, name }: Pick<CredentialName, 'user' | 'name'>): WishName =>
  `${user}/${name}` as WishName;
export const accountNameOf = ({ user, name }: Pick<CredentialName, 'user' | 'name'>): AccountName =>
  `${user}/${name}` as AccountName;
/** The account of a provider whose client or key is the access point's own (client credentials, the local issuer). */
export const sharedAccountName = (provider: string): AccountName => `condor:${provider}` as AccountName;
