import type { PathTarget, ScopePath } from '../token/scope-path.ts';
import type { StorageAction } from './access.ts';
import type { Area, Place } from './areas.ts';

export interface StorageScope {
  readonly operation: Exclude<StorageAction, 'stat'> | 'write';
  readonly path: ScopePath;
  readonly text: string;
}

/** What is asked of a storage, as far as it was understood. */
export interface StorageQuestion {
  readonly action: StorageAction;
  readonly wanted: ScopePath;
  readonly target: PathTarget;
  readonly area: Area;
  readonly places: readonly Place[];
}

/**
 * What the operations allow (WLCG profile 1.3, the table of storage operations). Modifying includes creating, and neither reading.
 * Staging has not meant reading since 1.2, whatever `wlcg.ver` says. To poll is to look where a file lies, as `stat` does.
 */
export const grants: Readonly<Record<StorageScope['operation'], readonly StorageAction[]>> = {
  read: ['read', 'stat', 'poll'],
  create: ['create', 'stat', 'poll'],
  modify: ['create', 'modify', 'stat', 'poll'],
  stage: ['stage', 'stat', 'poll'],
  poll: ['poll'],
  write: ['create', 'modify', 'stat', 'poll'],
};
