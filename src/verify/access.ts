import type { PathTarget } from '../token/scope-path.ts';
import type { VerifiedToken } from './verification.ts';

/** What somebody wants to do. Storage actions need a path; the others have none. */
export type Action = StorageAction | ComputeAction;
export type StorageAction = 'read' | 'stat' | 'create' | 'modify' | 'stage' | 'poll';
export type ComputeAction = 'compute.read' | 'compute.modify' | 'compute.create' | 'compute.cancel';

export const storageActions: readonly StorageAction[] = ['read', 'stat', 'create', 'modify', 'stage', 'poll'];
export const computeActions: readonly ComputeAction[] = [
  'compute.read',
  'compute.create',
  'compute.modify',
  'compute.cancel',
];

export interface AccessRequest {
  readonly action: Action;
  /** Absolute, as the service sees it; required for storage actions. */
  readonly path?: string;
  /** `create` of a directory also reaches those on the way to where a scope holds. */
  readonly target?: PathTarget;
}

/** `rule` names what decided, such as the scope, `base_path`, `restricted_path` or `no scope`; `why` is the sentence. */
export type Decision =
  | { readonly kind: 'allowed'; readonly rule: string; readonly why: string }
  | { readonly kind: 'denied'; readonly rule: string; readonly why: string; readonly hint?: string };

/** What of a token decides. Nothing else in it gives rights (RFC 8725; unknown claims never widen them). */
export type Bearer = Pick<VerifiedToken, 'profile' | 'scopes' | 'groups'>;

export const isCompute = (action: Action): action is ComputeAction => action.startsWith('compute.');
