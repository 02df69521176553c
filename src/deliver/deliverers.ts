import type { Target, TargetKind } from '../config/config.ts';
import type { Deliverer } from './deliverer.ts';
import { discoveryDeliverer } from './discovery-target.ts';
import { execDeliverer } from './exec-target.ts';
import { fileDeliverer } from './file-target.ts';
import { htcondorDeliverer } from './htcondor-target.ts';
import { useDeliverer } from './use-target.ts';

const deliverers: { readonly [K in TargetKind]: Deliverer<Extract<Target, { readonly kind: K }>> } = {
  file: fileDeliverer,
  discovery: discoveryDeliverer,
  exec: execDeliverer,
  htcondor: htcondorDeliverer,
  use: useDeliverer,
};

/** The deliverer for a target's kind. A new kind is one file and one line above. */
export function delivererOf<T extends Target>(target: T): Deliverer<T> {
  // The table's type ties each kind to its deliverer; the compiler cannot carry that through the look-up.
  return deliverers[target.kind] as unknown as Deliverer<T>;
}
