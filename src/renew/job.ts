import type { TokenRequest } from '../acquire/grant.ts';
import type { Account, TokenExchangeAccount, Wish } from '../config/config.ts';
import { asFault, Fault } from '../fault/fault.ts';
import type { TokenFacts, WishRecord } from '../store/records.ts';
import type { AccessToken } from '../token/secret.ts';
import { between, type Epoch, type Millis, millis, minutes } from '../token/time.ts';
import { describeToken } from '../token/token-facts.ts';
import { accept } from './acceptance.ts';
import { ask } from './ask.ts';
import type { Asked } from './asked.ts';
import type { Deliveries, DeliveryReport } from './deliveries.ts';
import { inLocalTime } from './local-time.ts';
import { type Outcome, settled } from './outcome.ts';
import type { RenewPorts, Signals } from './ports.ts';
import { judge, type Verdict, type VerdictPolicy } from './verdict.ts';

/** What became of one claimed wish. */
export interface JobReport {
  readonly wish: Wish;
  readonly verdict: Verdict;
  /** The record as it is stored now. */
  readonly record: WishRecord;
  readonly renewed: boolean;
  /** Nothing was asked, since nothing could come of it yet; such a fault is not in the log. */
  readonly waits: boolean;
  readonly fault: Fault | undefined;
  readonly deliveries: readonly DeliveryReport[];
}

export interface Job {
  readonly wish: Wish;
  /** As claimed; its fence makes what we settle count. */
  readonly record: WishRecord;
  readonly policy: VerdictPolicy;
  readonly signals: Signals;
  /** After this the claim is too old to begin a request with. */
  readonly staleAt: Epoch;
}

/** Carries one claimed wish from its verdict to its targets. Throws only what the store throws, and when it is told to stop. */
export async function runJob(ports: RenewPorts, deliveries: Deliveries, job: Job): Promise<JobReport> {
  const { wish, record, policy } = job;
  const verdict = judge(wish, record, ports.world.clock.now(), policy);
  if (verdict.kind !== 'due') return nothingDue(ports, deliveries, job, verdict);
  const obtained = await obtain(ports, job);
  const { world } = ports;
  const moment = { now: world.clock.now(), chance: world.random.unit() };
  const next = settled(record, wish, obtained.outcome, moment);
  await ports.store.settle(next, obtained.token);
  await ports.steps.reached('token-settled');
  report(ports, wish, next, obtained.outcome);
  const fault = obtained.outcome.kind === 'renewed' ? undefined : obtained.outcome.fault;
  const delivered = await deliverStored(ports, deliveries, job, next, obtained.token);
  const waits = obtained.outcome.kind === 'waits';
  return { wish, verdict, record: next, renewed: fault === undefined, waits, fault, deliveries: delivered };
}

/** Claimed, but not due any more (or not yet): the claim goes back, and what is undelivered is tried. */
async function nothingDue(
  ports: RenewPorts,
  deliveries: Deliveries,
  job: Job,
  verdict: Exclude<Verdict, { kind: 'due' }>,
): Promise<JobReport> {
  const { wish, record } = job;
  const dueAt = verdict.kind === 'blocked' ? record.dueAt : verdict.until;
  const next = { ...record, dueAt };
  await ports.store.settle(next);
  const delivered = await deliverStored(ports, deliveries, job, next, undefined);
  return { wish, verdict, record: next, renewed: false, waits: false, fault: undefined, deliveries: delivered };
}

async function deliverStored(
  ports: RenewPorts,
  deliveries: Deliveries,
  { wish, policy }: Job,
  record: WishRecord,
  fresh: AccessToken | undefined,
): Promise<readonly DeliveryReport[]> {
  const { token: facts } = record;
  if (facts === null || facts.expiresAt <= ports.world.clock.now()) return [];
  const targets = deliveries.pending(wish, facts.fingerprint, policy.mode === 'daemon' ? 'now' : 'forced');
  if (targets.length === 0) return [];
  const token = fresh ?? (await ports.store.token(wish.name));
  if (token === undefined) return [];
  const reports = await deliveries.deliver(wish, token, facts, targets);
  await ports.steps.reached('delivered');
  return reports;
}

interface Obtained {
  readonly outcome: Outcome;
  readonly token: AccessToken | undefined;
}

/** Asks, and judges what came against the wish and the token at hand. */
async function obtain(ports: RenewPorts, job: Job): Promise<Obtained> {
  const { wish, record } = job;
  const account = accountOf(ports, wish);
  const asked = await askSafely(ports, account, job);
  if (asked.kind !== 'token') return { outcome: asked, token: undefined };
  const facts = factsOf(asked);
  const present = record.fingerprint === wish.fingerprint ? record.token : null;
  const acceptance = accept({
    wish,
    account,
    issuerOfCredential: asked.issuerOfCredential,
    present,
    offered: facts,
    now: ports.world.clock.now(),
  });
  if (acceptance.kind === 'rejected')
    return { outcome: { kind: 'failed', fault: acceptance.fault, retryAfter: undefined }, token: undefined };
  return {
    outcome: {
      kind: 'renewed',
      facts,
      receivedAt: asked.obtained.receivedAt,
      remark: acceptance.remark ?? remarkOf(asked.obtained),
    },
    token: asked.obtained.token,
  };
}

function remarkOf({ remarks = [] }: Extract<Asked, { kind: 'token' }>['obtained']): Fault | undefined {
  return remarks.length === 0 ? undefined : new Fault('token-remarked', remarks.join('; '));
}

export function factsOf({ obtained, times }: Extract<Asked, { kind: 'token' }>) {
  return inLocalTime(describeToken(obtained.token, obtained), times);
}

/** Whatever a grant throws concerns this wish only (scenario 31). Faults of the store and a stop go up. */
async function askSafely(ports: RenewPorts, account: Account, job: Job): Promise<Asked> {
  const { wish, record, policy, signals, staleAt } = job;
  const neededBy = record.token?.expiresAt;
  try {
    const request = await requestFor(ports, account, wish, record);
    const forced = policy.mode === 'forced';
    return await ask(ports, account, {
      request,
      signals,
      forced,
      staleAt,
      comesBack: policy.mode === 'daemon',
      ...(neededBy === undefined ? {} : { neededBy }),
    });
  } catch (thrown) {
    if (signals.waiting.aborted && !(thrown instanceof Fault)) throw thrown;
    const fault = asFault(thrown, `asking for ${wish.name}`);
    return { kind: 'failed', fault, retryAfter: fault.retryAt };
  }
}

export function accountOf(ports: RenewPorts, wish: Wish): Account {
  const account = ports.config().accounts.get(wish.account);
  if (account === undefined) throw new Fault('bug', `wish ${wish.name} has no account ${wish.account}`);
  return account;
}

/** A server that answers from a cache must not give back what we have: a little more than is left of it is asked for. */
const longerBy = minutes(1);
/** And never all of a life, which no new token has when it arrives: servers refuse that instead of giving what they can. */
const mostOfLife = 0.9;

export async function requestFor(
  ports: RenewPorts,
  account: Account,
  wish: Wish,
  present?: WishRecord,
): Promise<TokenRequest> {
  const atLeast = present?.token == null ? undefined : longerThan(present.token, ports.world.clock.now());
  return {
    ...(atLeast === undefined ? {} : { atLeast }),
    audience: wish.audience,
    scope: wish.scope,
    ...(wish.lifetime === undefined ? {} : { lifetime: wish.lifetime }),
    ...(wish.subject === undefined ? {} : { subject: wish.subject }),
    purpose: { wish: wish.name, targets: wish.targets.map(({ id }) => id) },
    ...(account.grant === 'token_exchange' ? { subjectToken: await subjectToken(ports, account) } : {}),
  };
}

function longerThan({ issuedAt, expiresAt }: TokenFacts, now: Epoch): Millis | undefined {
  const left = between(now, expiresAt);
  if (left <= 0) return undefined;
  return millis(Math.min(left + longerBy, mostOfLife * between(issuedAt, expiresAt)));
}

/** The token that is exchanged is kept by a wish of its own; without it there is nothing to ask with (RFC 8693 section 2.1). */
async function subjectToken(ports: RenewPorts, account: TokenExchangeAccount): Promise<AccessToken> {
  const [record] = await ports.store.wishes([account.subject]);
  const alive = record?.token != null && record.token.expiresAt > ports.world.clock.now();
  const token = alive ? await ports.store.token(account.subject) : undefined;
  if (token !== undefined) return token;
  throw new Fault(
    'token-none',
    `account ${account.name} exchanges the token of ${account.subject}, and there is none at the moment`,
  );
}

function report(ports: RenewPorts, wish: Wish, record: WishRecord, outcome: Outcome): void {
  const { log } = ports;
  const names = { wish: wish.name, account: wish.account };
  if (outcome.kind === 'renewed') {
    const expiresAt = record.token?.expiresAt ?? (0 as Epoch);
    log.event('token-renewed', { ...names, expiresAt, renewAt: record.renewAt });
    if (record.remark !== null && record.remark.attempts === 1)
      log.event('token-remark', { wish: wish.name, reason: record.remark.sentence });
    return;
  }
  const { fault } = outcome;
  // One issuer being down is said once, by the desk, not once a wish.
  if (outcome.kind === 'waits') return;
  log.event('renewal-failed', {
    ...names,
    code: fault.code,
    reason: fault.message,
    attempts: record.failures,
    nextTry: record.trouble?.nextTry,
    hint: fault.hint,
  });
}
