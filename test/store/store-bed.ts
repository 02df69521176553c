import { Fault } from '../../src/fault/fault.ts';
import type { StoreOptions } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';

/** One database that several stores can be opened on. */
export interface StoreBed {
  options(node: string): StoreOptions;
}

/** What the parts of the contract share: two stores, `a` and `b`, are open on one database once the tests run. */
export interface Contract {
  says(sentence: string, work: () => Promise<void>): void;
  readonly opened: Promise<{ readonly bed: StoreBed; readonly a: Store; readonly b: Store }>;
}

export const isFault = (code: string) => (thrown: unknown) => thrown instanceof Fault && thrown.code === code;
