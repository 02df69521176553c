import type { Account, Position, Wish } from '../config/config.ts';
import type { FaultCode } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import type { Epoch } from '../token/time.ts';
import type { Authz } from './authz.ts';
import type { CredentialName } from './credential-name.ts';
import type { MetaFile } from './meta-file.ts';
import type { CredmonSettings } from './settings.ts';
import type { TopFile } from './top-file.ts';

/** A credential as it was found in the directory. */
export interface FoundTop {
  readonly credential: CredentialName;
  readonly top: TopFile;
  /** The `.meta` file beside it, where there is one. */
  readonly meta?: MetaFile;
  /** Of a handle: what it lives on (`parentOf`), where that is there. */
  readonly parent?: TopFile;
  readonly parentMeta?: MetaFile;
  /** When its `.top` file was written. */
  readonly writtenAt?: Epoch;
}

/** What the access point itself has for the provider of a credential: only its own issuer, and its own client, need it. */
export interface OwnPart {
  /** What the templates give to this user. */
  readonly authz?: Authz;
  /** The directory of the local issuer. */
  readonly issuer?: string;
}

/** What a credential is for the renewer's engine. */
export type Understanding =
  /** `shared`: the account is the access point's, and all users' wishes of this provider have it. */
  | { readonly kind: 'wish'; readonly account: Account; readonly wish: Wish; readonly shared: boolean }
  | { readonly kind: 'unfit'; readonly fault: Fault }
  /** Another credmon's, or nobody's. */
  | { readonly kind: 'ignored' };

export type Unfit = Extract<Understanding, { kind: 'unfit' }>;

type Directory = Pick<CredmonSettings, 'directory'>;

export const topPathOf = ({ directory }: Directory, { user, name }: Pick<CredentialName, 'user' | 'name'>): string =>
  `${directory}/${user}/${name}.top`;

export const topPosition = (settings: Directory, credential: Pick<CredentialName, 'user' | 'name'>): Position => ({
  file: topPathOf(settings, credential),
  line: 1,
  column: 1,
});

/** @param why goes on after the name of the `.top` file */
export function unfit(
  settings: Directory,
  credential: CredentialName,
  why: string,
  { code = 'credential-unfit', hint }: { readonly code?: FaultCode; readonly hint?: string } = {},
): Unfit {
  const sentence = `no token is kept for ${credential.name} of ${credential.user}: ${topPathOf(settings, credential)} ${why}`;
  return { kind: 'unfit', fault: new Fault(code, sentence, hint === undefined ? {} : { hint }) };
}

export const isUnfit = <T extends object>(value: T | Unfit): value is Unfit =>
  'kind' in value && value.kind === 'unfit' && 'fault' in value;
