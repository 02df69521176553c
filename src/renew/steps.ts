/**
 * The places in a rotation where a process may die. Each is named, so that a test can stop exactly there; in production nothing
 * listens. Order is the order of time (docs/reliability.md, "The rotation protocol").
 */
export const rotationSteps = [
  'locked',
  'reserved',
  'intent-saved',
  'answered',
  'successor-spooled',
  'successor-stored',
  'spool-released',
  'token-settled',
  'delivered',
] as const;
export type RotationStep = (typeof rotationSteps)[number];

export interface Steps {
  reached(step: RotationStep): Promise<void> | void;
}

export const noSteps: Steps = { reached: () => {} };
