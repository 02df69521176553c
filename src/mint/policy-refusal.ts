import { Fault } from '../fault/fault.ts';
import type { PolicyAnswer } from './policy.ts';

export type Refused = Extract<PolicyAnswer, { kind: 'refused' }>;

/** What was asked for and what the policy allows, for those who may know the policy. */
export const wholeReason = ({ why, allowed }: Pick<Refused, 'why' | 'allowed'>): string =>
  allowed === undefined ? why : `${why}; ${allowed}`;

/** The Fault `policy-refused`, with its parts: a server tells its clients less than a command does its operator. */
export class PolicyRefusal extends Fault {
  readonly refused: Refused;

  constructor(refused: Refused) {
    const { hint } = refused;
    super('policy-refused', wholeReason(refused), hint === undefined ? {} : { hint });
    this.refused = refused;
  }
}
