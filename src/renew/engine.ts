import type { Account, Config, IssuerLimits, Wish } from '../config/config.ts';
import { asFault, Fault } from '../fault/fault.ts';
import { noOwnIssuers, type OwnIssuers } from '../mint/own-issuers.ts';
import type { Logger } from '../observe/log.ts';
import type { DeliveryRecord, IssuerRecord, WishRecord } from '../store/records.ts';
import type { Spool } from '../store/spool.ts';
import type { Store, WishSeed } from '../store/store.ts';
import type { AccountName, WishName } from '../token/names.ts';
import { after, millis, minutes } from '../token/time.ts';
import type { World } from '../world/world.ts';
import type { CredentialHome } from './credential-home.ts';
import { Deliveries } from './deliveries.ts';
import { HeldSuccessors } from './held-successors.ts';
import { IssuerDesk } from './issuer-desk.ts';
import { IssuerMemory } from './issuer-memory.ts';
import { type JobReport, runJob } from './job.ts';
import { settled } from './outcome.ts';
import type { RenewPorts, Signals } from './ports.ts';
import { noSteps, type Steps } from './steps.ts';
import { storeHome } from './store-home.ts';
import type { VerdictPolicy } from './verdict.ts';

/** A claim outlives any request; whoever dies on another host lets go of it after this. */
const lease = minutes(10);

export interface EngineDeps {
  readonly world: World;
  readonly config: Config;
  readonly store: Store;
  readonly spool: Spool;
  readonly log: Logger;
  /** Names this host (and state) among several on one database. */
  readonly node: string;
  readonly steps?: Steps;
  /** Absent where nothing is signed here. */
  readonly ownIssuers?: OwnIssuers;
  /** Where the credential of an account lies; default: the store. */
  readonly homeOf?: (account: Account) => CredentialHome;
  /**
   * What becomes of wishes in the records that the configuration does not name. Only a program that keeps all of them may park
   * the others: a `get` with another configuration must not stop a daemon's wishes.
   */
  readonly absent: 'park' | 'keep';
}

/** The acting heart: claims wishes and runs their jobs. `pass.ts`, `get.ts` and `daemon.ts` drive it. */
export class Engine {
  readonly ports: RenewPorts;
  readonly deliveries: Deliveries;
  #config: Config;

  private constructor(deps: EngineDeps, issuers: readonly IssuerRecord[], deliveries: readonly DeliveryRecord[]) {
    const { world, store, spool, log, node } = deps;
    this.#config = deps.config;
    const memory = new IssuerMemory(store, log, issuers);
    const desk = new IssuerDesk(
      {
        clock: world.clock,
        random: world.random,
        limitsOf: (issuer) => limitsOf(this.#config, issuer),
        draw: (issuer, want, perSecond) => store.drawBudget(issuer, want, perSecond, world.clock.now()),
        changed: (issuer, state, result) => memory.gateChanged(issuer, state, result, world.clock.now()),
      },
      issuers,
    );
    const held = new HeldSuccessors(world.clock, log);
    const { steps = noSteps, ownIssuers = noOwnIssuers, homeOf = () => storeHome } = deps;
    const config = () => this.#config;
    this.ports = { world, store, spool, log, node, desk, issuers: memory, ownIssuers, held, steps, homeOf, config };
    this.deliveries = new Deliveries(this.ports, deliveries);
  }

  static async open(deps: EngineDeps): Promise<Engine> {
    const { store, world } = deps;
    await store.voidDeadClaims();
    await store.register(await seedsOf(deps.config, store, deps.absent), world.clock.now());
    return new Engine(deps, await store.issuers(), await store.deliveries());
  }

  get config(): Config {
    return this.#config;
  }

  /** Takes a new configuration as a whole; wishes that went are parked, not forgotten (scenario 35). */
  async adopt(config: Config): Promise<void> {
    const { store, world } = this.ports;
    await store.register(await seedsOf(config, store, 'park'), world.clock.now());
    this.#config = config;
  }

  /**
   * Takes wishes in one by one, from a source that keeps {@link Config.wishes} up to date itself (HTCondor's credential directory). New
   * and changed ones are due at once.
   */
  async enrol(wishes: readonly Wish[]): Promise<void> {
    const { store, world } = this.ports;
    await store.enrol(wishes.map(seedOf), world.clock.now());
  }

  /** Wishes whose source does not have them at the moment: what is known of them stays. */
  async park(wishes: readonly WishName[]): Promise<void> {
    await this.ports.store.park(wishes);
  }

  /** Wishes whose source has dropped them for good: nothing of them is left, nor of accounts that were theirs alone. */
  async forget(wishes: readonly WishName[], accounts: readonly AccountName[]): Promise<void> {
    const { store } = this.ports;
    await store.forgetWishes(wishes);
    for (const account of accounts) await store.forgetAccount(account);
    this.deliveries.forget(wishes);
  }

  /** Claims wishes: those named, or the soonest due. */
  claim(limit: number, names?: readonly WishName[]): Promise<readonly WishRecord[]> {
    const { store, node, world } = this.ports;
    return store.claim({ now: world.clock.now(), limit, node, lease, ...(names === undefined ? {} : { names }) });
  }

  /**
   * Runs one claimed wish to its end. A claim that somebody else took over, and a stop, give undefined; whatever else goes wrong
   * stays with this wish.
   */
  async run(record: WishRecord, policy: VerdictPolicy, signals: Signals): Promise<JobReport | undefined> {
    const wish = this.#config.wishes.get(record.name);
    if (signals.waiting.aborted) return await this.#giveBack(record);
    if (wish === undefined) return await this.#leave(record);
    try {
      const staleAt = after(this.ports.world.clock.now(), millis(lease / 2));
      return await runJob(this.ports, this.deliveries, { wish, record, policy, signals, staleAt });
    } catch (thrown) {
      return await this.#broken(wish, record, thrown, signals);
    }
  }

  /** If the store cannot take it, the claim ends with this process, or runs out by itself. */
  async #giveBack(record: WishRecord): Promise<undefined> {
    await this.ports.store.release([record]).catch(() => {});
  }

  /** Somebody with a newer configuration brought this wish in; it is theirs until we read that one too. */
  async #leave(record: WishRecord): Promise<undefined> {
    const { store, world } = this.ports;
    await store.settle({ ...record, dueAt: after(world.clock.now(), minutes(1)) }).catch(() => {});
  }

  async #broken(wish: Wish, record: WishRecord, thrown: unknown, signals: Signals): Promise<JobReport | undefined> {
    const { log, store, world } = this.ports;
    if (signals.waiting.aborted) return await this.#giveBack(record);
    const doing = `renewing ${wish.name}`;
    const fault = asFault(thrown, doing);
    if (fault.code === 'state-conflict') {
      log.event('claim-lost', { wish: wish.name });
      return undefined;
    }
    log.event('unexpected-fault', { doing, reason: fault.message });
    const moment = { now: world.clock.now(), chance: world.random.unit() };
    const next = settled(record, wish, { kind: 'failed', fault, retryAfter: undefined }, moment);
    // If the store cannot take even this, the claim runs out by itself.
    await store.settle(next).catch(() => {});
    const verdict = { kind: 'wait', until: next.dueAt, because: fault.message } as const;
    return { wish, verdict, record: next, renewed: false, waits: false, fault, deliveries: [] };
  }
}

const seedOf = ({ name, account, fingerprint }: Wish): WishSeed => ({ name, account, fingerprint });

/**
 * The wishes as they are to be registered. Where a section has an error nobody knows which wishes it named: what is kept and does
 * not read now stays kept, since a running daemon may well go on with it.
 */
async function seedsOf(config: Config, store: Store, absent: 'park' | 'keep'): Promise<readonly WishSeed[]> {
  const seeds = [...config.wishes.values()].map(seedOf);
  if (absent === 'park' && !config.findings.some(({ severity }) => severity === 'error')) return seeds;
  const unread = (await store.wishes()).filter(({ name, state }) => state === 'kept' && !config.wishes.has(name));
  return [...seeds, ...unread.map(({ name, account, wished }) => ({ name, account, fingerprint: wished }))];
}

function limitsOf(config: Config, issuer: string): IssuerLimits {
  return config.issuerLimits.get(issuer) ?? config.limits;
}

/** The wish of that name, or the sentence that it is not there. */
export function wishNamed(config: Config, name: string): Wish {
  const wish = config.wishes.get(name as WishName);
  if (wish === undefined)
    throw new Fault('usage', `there is no token "${name}" in ${config.file}`, { hint: 'see them with: tokeep status' });
  return wish;
}
