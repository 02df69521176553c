import type { Target, Wish } from '../config/config.ts';
import { delivererOf } from '../deliver/deliverers.ts';
import { asFault, type Fault } from '../fault/fault.ts';
import type { DeliveryRecord, TokenFacts } from '../store/records.ts';
import type { WishName } from '../token/names.ts';
import type { AccessToken } from '../token/secret.ts';
import type { Epoch } from '../token/time.ts';
import { troubleOf } from './outcome.ts';
import type { RenewPorts } from './ports.ts';
import { nextTry } from './schedule.ts';

export interface DeliveryReport {
  readonly target: string;
  readonly fault: Fault | undefined;
}

/** What this node delivered where. Renewal and delivery are separate states: a dead target stops nobody (scenario 38). */
export class Deliveries {
  readonly #ports: RenewPorts;
  readonly #records = new Map<WishName, Map<string, DeliveryRecord>>();
  /** Those with trouble; few, and looked at every turn. */
  readonly #failing = new Map<string, DeliveryRecord>();
  /** The fingerprints on their way, by wish and target: a second look in the meantime must not deliver them twice. */
  readonly #underWay = new Map<string, string>();

  constructor(ports: RenewPorts, known: readonly DeliveryRecord[]) {
    this.#ports = ports;
    for (const record of known) if (record.node === ports.node) this.#remember(record);
  }

  /** Targets of the wish that do not hold this token, and may be tried now. `forced` tries all of those. */
  pending(wish: Wish, fingerprint: string, when: 'now' | 'forced'): readonly Target[] {
    const now = this.#ports.world.clock.now();
    return wish.targets.filter((target) => {
      if (this.#underWay.get(keyOf(wish.name, target.id)) === fingerprint) return false;
      const record = this.#records.get(wish.name)?.get(target.id);
      if (record === undefined || record.delivered !== fingerprint) return when === 'forced' || !waits(record, now);
      return false;
    });
  }

  /** Targets that should hold the token and no longer do: a file somebody removed, a /run that a reboot emptied. */
  async gone(wish: Wish, fingerprint: string): Promise<readonly Target[]> {
    const missing: Target[] = [];
    for (const target of wish.targets) {
      const record = this.#records.get(wish.name)?.get(target.id);
      if (record?.delivered !== fingerprint || this.#underWay.has(keyOf(wish.name, target.id))) continue;
      const delivered = { fingerprint, at: record.deliveredAt };
      const found = await delivererOf(target).check(target, delivered, this.#ports.world);
      if (found === 'gone') missing.push(target);
    }
    return missing;
  }

  /** The earliest time later than this at which a failed delivery is tried again. */
  soonestAfter(since: Epoch): Epoch | undefined {
    let soonest: Epoch | undefined;
    for (const record of this.#failing.values()) {
      const at = record.trouble?.nextTry ?? undefined;
      if (at !== undefined && at > since && (soonest === undefined || at < soonest)) soonest = at;
    }
    return soonest;
  }

  /** Brings the token to the targets, each on its own. */
  async deliver(
    wish: Wish,
    token: AccessToken,
    facts: TokenFacts,
    targets: readonly Target[],
  ): Promise<readonly DeliveryReport[]> {
    return Promise.all(
      targets.map(async (target) => {
        const key = keyOf(wish.name, target.id);
        this.#underWay.set(key, token.fingerprint);
        try {
          return await this.#deliverOne(wish, token, facts, target);
        } finally {
          if (this.#underWay.get(key) === token.fingerprint) this.#underWay.delete(key);
        }
      }),
    );
  }

  async #deliverOne(wish: Wish, token: AccessToken, facts: TokenFacts, target: Target): Promise<DeliveryReport> {
    const { world, store, log, node } = this.#ports;
    const before = this.#records.get(wish.name)?.get(target.id);
    const fault = await this.#tryOne(target, token, facts);
    const now = world.clock.now();
    if (fault === undefined) {
      const record = {
        wish: wish.name,
        target: target.id,
        node,
        delivered: token.fingerprint,
        deliveredAt: now,
        trouble: null,
      };
      this.#remember(record);
      await store.saveDelivery(record);
      log.event('delivered', { wish: wish.name, target: target.id });
      return { target: target.id, fault };
    }
    const failures = (before?.trouble?.attempts ?? 0) + 1;
    const next = nextTry({
      now,
      failures,
      expiresAt: facts.expiresAt,
      retryAfter: undefined,
      chance: world.random.unit(),
    });
    const record: DeliveryRecord = {
      wish: wish.name,
      target: target.id,
      node,
      delivered: before?.delivered ?? null,
      deliveredAt: before?.deliveredAt ?? null,
      trouble: troubleOf(before?.trouble ?? null, fault, now, next),
    };
    this.#remember(record);
    await store.saveDelivery(record);
    log.event('delivery-failed', {
      wish: wish.name,
      target: target.id,
      code: fault.code,
      reason: fault.message,
      nextTry: next,
    });
    return { target: target.id, fault };
  }

  async #tryOne(target: Target, token: AccessToken, facts: TokenFacts): Promise<Fault | undefined> {
    try {
      await delivererOf(target).deliver(target, token, this.#ports.world, facts);
      return undefined;
    } catch (thrown) {
      return asFault(thrown, `delivering to ${target.id}`);
    }
  }

  /** Of wishes that are forgotten. */
  forget(names: readonly WishName[]): void {
    for (const name of names) {
      for (const target of this.#records.get(name)?.keys() ?? []) this.#failing.delete(keyOf(name, target));
      this.#records.delete(name);
    }
  }

  #remember(record: DeliveryRecord): void {
    const ofWish = this.#records.get(record.wish) ?? new Map<string, DeliveryRecord>();
    ofWish.set(record.target, record);
    this.#records.set(record.wish, ofWish);
    const key = keyOf(record.wish, record.target);
    if (record.trouble === null) this.#failing.delete(key);
    else this.#failing.set(key, record);
  }
}

const keyOf = (wish: WishName, target: string): string => `${wish} ${target}`;

const waits = (record: DeliveryRecord | undefined, now: Epoch): boolean =>
  record?.trouble != null &&
  record.trouble.nextTry !== null &&
  record.trouble.nextTry > now &&
  record.trouble.lastAt <= now;
