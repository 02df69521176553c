/** What somebody wants to do. Storage actions need a path; the others have none. */
export type Action =
  | 'read'
  | 'create'
  | 'modify'
  | 'stage'
  | 'poll'
  | 'compute.read'
  | 'compute.modify'
  | 'compute.create'
  | 'compute.cancel';

export interface AccessRequest {
  readonly action: Action;
  /** Absolute, as the service sees it; required for storage actions. */
  readonly path?: string;
  readonly target?: 'file' | 'directory' | 'unknown';
}

/** `rule` names what decided, such as the scope, `base_path`, `restricted_path` or `no scope`; `why` is the sentence. */
export type Decision =
  | { readonly kind: 'allowed'; readonly rule: string; readonly why: string }
  | { readonly kind: 'denied'; readonly rule: string; readonly why: string; readonly hint?: string };
