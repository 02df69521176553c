import type { FromNetwork, ToNetwork } from './network-messages.ts';

/** Something the network process is asked to do. Each of the three is called at most once, and nothing after `lost`. */
export interface Errand {
  readonly message: (id: number) => ToNetwork;
  /** False for an answer to something else, after which the process counts as broken. */
  readonly answered: (message: FromNetwork) => boolean;
  /** The process is gone, or is not there. `handedOver`: it may have begun. */
  readonly lost: (handedOver: boolean) => void;
}

/** What the ports are made of. */
export interface Errands {
  submit(errand: Errand): number;
  /** Takes back what was not handed over yet; false when it was. */
  withdraw(id: number): boolean;
  tell(message: ToNetwork): void;
  /** It does not answer any more. */
  condemn(reason: string): void;
}
