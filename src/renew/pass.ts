import type { Fault } from '../fault/fault.ts';
import type { WishRecord } from '../store/records.ts';
import type { WishName } from '../token/names.ts';
import type { Engine } from './engine.ts';
import type { JobReport } from './job.ts';
import type { Signals } from './ports.ts';
import { judge, type Verdict, type VerdictPolicy } from './verdict.ts';

/** How many wishes are claimed at a time; enough to keep many issuers busy, few enough to give back soon. */
const batch = 1000;

export interface PassOptions {
  /** Absent: all wishes of the configuration. */
  readonly names?: readonly WishName[];
  readonly mode: 'pass' | 'forced';
  readonly signals: Signals;
  /** Told of each wish as it ends. */
  readonly onReport?: (report: JobReport) => void;
}

export interface PassReport {
  /** How many wishes were looked at. */
  readonly looked: number;
  readonly due: number;
  readonly renewed: number;
  /** Due, but held by another tokeep at this moment; it does the work. */
  readonly elsewhere: readonly WishName[];
  readonly faults: readonly Fault[];
}

export interface Judged {
  readonly name: WishName;
  readonly verdict: Verdict;
  readonly record: WishRecord | undefined;
}

/** Every wish with its verdict; acts on nothing (`renew --dry-run`). */
export async function judgeAll(
  engine: Engine,
  policy: VerdictPolicy,
  names?: readonly WishName[],
): Promise<readonly Judged[]> {
  const { store, world } = engine.ports;
  const records = new Map((await store.wishes(names)).map((record) => [record.name, record]));
  const now = world.clock.now();
  const judged: Judged[] = [];
  for (const name of names ?? engine.config.wishes.keys()) {
    const wish = engine.config.wishes.get(name);
    if (wish !== undefined)
      judged.push({ name, record: records.get(name), verdict: judge(wish, records.get(name), now, policy) });
  }
  return judged;
}

/** One pass: renews every wish that is due, and delivers what is not where it should be. */
export async function runPass(engine: Engine, options: PassOptions): Promise<PassReport> {
  const policy: VerdictPolicy = { mode: options.mode };
  const judged = await judgeAll(engine, policy, options.names);
  const due = judged.filter(({ verdict }) => verdict.kind === 'due').map(({ name }) => name);
  const undelivered = await deliverMissing(
    engine,
    judged.filter(({ verdict }) => verdict.kind !== 'due'),
    options,
  );
  const reports: JobReport[] = [...undelivered];
  const elsewhere: WishName[] = [];
  for (let from = 0; from < due.length && !options.signals.waiting.aborted; from += batch) {
    const names = due.slice(from, from + batch);
    const claims = await engine.claim(names.length, names);
    const claimed = new Set(claims.map(({ name }) => name));
    elsewhere.push(...names.filter((name) => !claimed.has(name)));
    await Promise.all(
      claims.map(async (claim) => {
        const report = await engine.run(claim, policy, options.signals);
        if (report === undefined) return;
        reports.push(report);
        options.onReport?.(report);
      }),
    );
  }
  return {
    looked: judged.length,
    due: due.length,
    renewed: reports.filter(({ renewed }) => renewed).length,
    elsewhere,
    faults: reports
      .flatMap(({ fault, deliveries }) => [fault, ...deliveries.map((delivery) => delivery.fault)])
      .filter((fault) => fault !== undefined),
  };
}

/** Fresh tokens that are not (any more) where they should be. */
export async function deliverMissing(
  engine: Engine,
  judged: readonly Judged[],
  options: PassOptions,
): Promise<readonly JobReport[]> {
  const reports: JobReport[] = [];
  const when = options.mode === 'forced' ? 'forced' : 'now';
  const now = engine.ports.world.clock.now();
  for (const { name, record, verdict } of judged) {
    const wish = engine.config.wishes.get(name);
    if (wish === undefined || record === undefined || record.token === null || record.token.expiresAt <= now) continue;
    if (record.fingerprint !== wish.fingerprint) continue;
    const { fingerprint, expiresAt } = record.token;
    const targets = [
      ...engine.deliveries.pending(wish, fingerprint, when),
      ...(await engine.deliveries.gone(wish, fingerprint)),
    ];
    if (targets.length === 0) continue;
    const token = await engine.ports.store.token(name);
    if (token === undefined) continue;
    const deliveries = await engine.deliveries.deliver(wish, token, expiresAt, targets);
    const report = { wish, verdict, record, renewed: false, fault: undefined, deliveries };
    reports.push(report);
    options.onReport?.(report);
  }
  return reports;
}
