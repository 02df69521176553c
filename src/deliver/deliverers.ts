import type { Target, TargetKind } from '../config/config.ts';
import type { Deliverer } from './deliverer.ts';
import { discoveryDeliverer } from './discovery-target.ts';
import { fileDeliverer } from './file-target.ts';

const deliverers: Readonly<Record<string, Deliverer>> = {
  file: fileDeliverer as Deliverer,
  discovery: discoveryDeliverer as Deliverer,
} satisfies Partial<Record<TargetKind, Deliverer>>;

/** The deliverer for a target's kind. A new kind is one file and one line above. */
export function delivererOf(target: Target): Deliverer {
  return deliverers[target.kind] as Deliverer;
}
