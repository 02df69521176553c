import { asFault } from '../fault/fault.ts';
import type { Logger } from '../observe/log.ts';
import type { IssuerRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { between, type Epoch, seconds } from '../token/time.ts';
import type { GateState, IssuerResult } from './issuer-gate.ts';
import { troubleOf } from './outcome.ts';

/** A measured difference is written down again when it changed by this much; it wavers with every answer. */
const skewStep = seconds(10);

/** What is durably known of issuers: circuit, pace and clock. Written when it changes, so that a restart does not forget an outage. */
export class IssuerMemory {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #records = new Map<string, IssuerRecord>();

  constructor(store: Store, log: Logger, known: readonly IssuerRecord[]) {
    this.#store = store;
    this.#log = log;
    for (const record of known) this.#records.set(record.issuer, record);
  }

  get known(): readonly IssuerRecord[] {
    return [...this.#records.values()];
  }

  /** The gate of an issuer changed because of `result`. */
  gateChanged(issuer: string, state: GateState, result: IssuerResult, now: Epoch): void {
    const before = this.#record(issuer);
    const { circuit, notBefore } = state;
    if (circuit.kind === 'open' && before.circuit.kind === 'closed') {
      const reason = result.kind === 'down' ? result.fault.message : 'several requests in a row failed';
      this.#log.event('issuer-down', { issuer, reason, probeAt: circuit.probeAt });
    }
    if (circuit.kind === 'closed' && before.circuit.kind === 'open') {
      this.#log.event('issuer-back', { issuer, downFor: between(before.circuit.since, now) });
    }
    const down = circuit.kind === 'open' && result.kind === 'down';
    const trouble = down ? troubleOf(before.trouble, result.fault, now, circuit.probeAt) : null;
    this.#save({
      ...before,
      circuit,
      notBefore,
      trouble: circuit.kind === 'open' ? (trouble ?? before.trouble) : null,
    });
  }

  /** How far our clock is ahead of the issuer's, from an answer just received. */
  clockSeen(issuer: string, skew: number | undefined): void {
    if (skew === undefined) return;
    const before = this.#record(issuer);
    if (Math.abs(skew - (before.skew ?? 0)) < skewStep) return;
    this.#save({ ...before, skew });
  }

  #record(issuer: string): IssuerRecord {
    const blank: IssuerRecord = { issuer, circuit: { kind: 'closed' }, notBefore: null, trouble: null, skew: null };
    return this.#records.get(issuer) ?? blank;
  }

  /** In the background: nobody waits for it, and a lost write costs one more probe. */
  #save(record: IssuerRecord): void {
    this.#records.set(record.issuer, record);
    this.#store.saveIssuer(record).catch((thrown: unknown) => {
      const doing = `saving the state of issuer ${record.issuer}`;
      this.#log.event('unexpected-fault', { doing, reason: asFault(thrown, doing).message });
    });
  }
}
