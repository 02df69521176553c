import type { Fault } from '../fault/fault.ts';
import type { WishRecord } from '../store/records.ts';
import type { WishName } from '../token/names.ts';
import type { Engine } from './engine.ts';
import type { JobReport } from './job.ts';
import type { Signals } from './ports.ts';
import { inRounds } from './rounds.ts';
import { judge, type Verdict, type VerdictPolicy } from './verdict.ts';

/** How many wishes are claimed at a time. Two such batches are under way, so that the last of one keeps nobody waiting. */
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
  /** Targets that did not take their token. */
  readonly undelivered: number;
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
  const due = accountsInTurn(
    engine,
    judged.filter(({ verdict }) => verdict.kind === 'due').map(({ name }) => name),
  );
  // Somebody, or a timer, asks: a target that failed is tried now, whatever its next try was to be.
  const fresh = judged.filter(({ verdict }) => verdict.kind !== 'due');
  const reports: JobReport[] = [...(await deliverMissing(engine, fresh, options, 'forced'))];
  const elsewhere: WishName[] = [];
  const work = async (claim: WishRecord) => {
    const report = await engine.run(claim, policy, options.signals);
    if (report === undefined) return;
    reports.push(report);
    options.onReport?.(report);
  };
  let running: Promise<unknown> = Promise.resolve();
  try {
    for (const round of inRounds(engine.config, due)) {
      for (const names of inBatches(round)) {
        if (options.signals.waiting.aborted) break;
        const claims = await engine.claim(names.length, names);
        const claimed = new Set(claims.map(({ name }) => name));
        elsewhere.push(...names.filter((name) => !claimed.has(name)));
        const before = running;
        running = Promise.all(claims.map(work));
        await before;
      }
      await running;
    }
  } finally {
    // A batch that cannot be claimed leaves the one before it at work; nobody may close the store under it.
    await running;
  }
  return {
    looked: judged.length,
    due: due.length,
    renewed: reports.filter(({ renewed }) => renewed).length,
    elsewhere,
    undelivered: reports.flatMap(({ deliveries }) => deliveries).filter(({ fault }) => fault !== undefined).length,
    faults: reports
      .flatMap(({ fault, deliveries }) => [fault, ...deliveries.map((delivery) => delivery.fault)])
      .filter((fault) => fault !== undefined),
  };
}

/** One of each account, then the next of each: issuers work side by side, and a slow one holds up its own wishes. */
function accountsInTurn(engine: Engine, names: readonly WishName[]): readonly WishName[] {
  const nth = new Map<string, number>();
  const rounds: WishName[][] = [];
  for (const name of names) {
    const account = engine.config.wishes.get(name)?.account ?? '';
    const round = nth.get(account) ?? 0;
    nth.set(account, round + 1);
    const others = rounds[round] ?? [];
    others.push(name);
    rounds[round] = others;
  }
  return rounds.flat();
}

function inBatches(names: readonly WishName[]): readonly (readonly WishName[])[] {
  return Array.from({ length: Math.ceil(names.length / batch) }, (_, at) => names.slice(at * batch, (at + 1) * batch));
}

/** How many wishes are delivered at a time: a target that hangs holds up a few of the others at most. */
const sideBySide = 16;

/**
 * Fresh tokens that are not (any more) where they should be.
 * @param when `now`: a target that failed is left alone until its next try
 * @param look `records`: only what was never delivered there; `places`: also what has gone since
 */
export async function deliverMissing(
  engine: Engine,
  judged: readonly Judged[],
  options: Pick<PassOptions, 'onReport'>,
  when: 'now' | 'forced',
  look: 'records' | 'places' = 'places',
): Promise<readonly JobReport[]> {
  const reports: JobReport[] = [];
  const rest = judged.values();
  const inTurn = async () => {
    for (const one of rest) {
      const report = await deliverOne(engine, one, when, look);
      if (report === undefined) continue;
      reports.push(report);
      options.onReport?.(report);
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, inTurn));
  return reports;
}

async function deliverOne(
  engine: Engine,
  { name, record, verdict }: Judged,
  when: 'now' | 'forced',
  look: 'records' | 'places',
): Promise<JobReport | undefined> {
  const { deliveries, ports } = engine;
  const wish = engine.config.wishes.get(name);
  if (wish === undefined || record === undefined || record.token === null) return undefined;
  const facts = record.token;
  const { fingerprint } = facts;
  if (facts.expiresAt <= ports.world.clock.now() || record.fingerprint !== wish.fingerprint) return undefined;
  const targets = [
    ...deliveries.pending(wish, fingerprint, when),
    ...(look === 'places' ? await deliveries.gone(wish, fingerprint) : []),
  ];
  if (targets.length === 0) return undefined;
  const token = await ports.store.token(name);
  if (token === undefined) return undefined;
  const delivered = await deliveries.deliver(wish, token, facts, targets);
  return { wish, verdict, record, renewed: false, waits: false, fault: undefined, deliveries: delivered };
}
