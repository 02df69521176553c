import type { Grant, GrantContext, NoAnswer, RawAnswer, Salvage } from '../acquire/grant.ts';
import { issuerOf } from '../acquire/token-endpoint-of.ts';
import type { Account } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { AccountRecord, AccountSecrets } from '../store/records.ts';
import type { Reservation } from '../store/spool.ts';
import type { AccountLock } from '../store/store.ts';
import type { Credential } from '../token/secret.ts';
import { accountHeld, next, withCredential, withIntent } from './account-state.ts';
import { withAgentCa } from './agent-adoption.ts';
import { type Asked, askedFrom, askedFromNoAnswer, heldBack, issuerResult, noRoom, notLetIn } from './asked.ts';
import { concluded } from './conclusion.ts';
import { expiryOf } from './credential-expiry.ts';
import type { CredentialHome } from './credential-home.ts';
import { timesOf } from './local-time.ts';
import type { Errand, RenewPorts } from './ports.ts';

/** One spend of a credential, from its lock to its definite answer. */
interface Spend extends Errand {
  readonly ports: RenewPorts;
  readonly account: Account;
  readonly grant: Grant;
}

/**
 * Asks for a token where asking may use the credential up. The order of the steps is the protocol of docs/reliability.md: lock,
 * look again, reserve, intent, send once, save the successor before anything is judged. Whatever happens in between, afterwards
 * there is a usable credential, or a record that says since when its outcome is unknown.
 */
export async function rotate(spend: Spend): Promise<Asked> {
  const { ports, account, signals } = spend;
  await using lock = await ports.store.lockAccount(account.name, signals.waiting);
  await ports.steps.reached('locked');
  await using home = ports.homeOf(account);
  const ready = await home.ready(ports, account, spend.grant, signals.waiting);
  if (ready.kind === 'none') return { kind: 'refused', fault: ready.fault };
  const { record, secrets } = ready;
  const held = accountHeld(record, account, ports.world.clock.now(), spend);
  if (held !== undefined) return heldBack(held, ports.world);

  const entrance = await ports.desk.enter(spend.grant.issuerKey(account, record), signals.waiting, spend);
  if (entrance.kind !== 'in') return notLetIn(entrance, ports.world);
  const { ticket } = entrance;
  try {
    const reservation = await reserved(home, spend, secrets);
    if (reservation instanceof Fault) return noRoom(reservation, ports.world);
    await ports.steps.reached('reserved');
    const intended = await intend(spend, lock, record, reservation);
    const asking = withAgentCa(account, intended);
    const context: GrantContext = {
      world: ports.world,
      account: asking,
      record: intended,
      secrets,
      signal: signals.request,
    };
    const raw = await spend.grant.send(context, spend.request);
    await ports.steps.reached('answered');
    if (raw.kind === 'none') {
      ticket.leave(issuerResult(raw));
      return await withoutAnswer(spend, { record, intended, reservation, raw });
    }
    const salvage = spend.grant.salvage(raw, context);
    const kept = await keep(spend, { home, intended, secrets, reservation, raw, salvage });
    ports.issuers.clockSeen(spend.grant.issuerKey(account, record), timesOf(raw).skew);
    const outcome = spend.grant.judge(raw, context);
    ticket.leave(issuerResult(outcome));
    const moment = { now: ports.world.clock.now(), chance: ports.world.random.unit() };
    const { record: after, fault } = concluded({ account, before: record, kept, raw, salvage, outcome, moment });
    if (after !== kept) await ports.store.saveAccount(after);
    await home.settled(ports, account, after);
    return fault === undefined
      ? askedFrom(outcome, raw, issuerOf(account, after) ?? after.client?.issuer)
      : { kind: 'refused', fault };
  } finally {
    ticket.leave({ kind: 'unused' });
  }
}

/** A disk without room says nothing about the wish or its issuer. */
async function reserved(
  home: CredentialHome,
  { ports, account }: Spend,
  secrets: AccountSecrets,
): Promise<Reservation | Fault> {
  try {
    return await home.reserve(ports, account, secrets);
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'state-write-failed') return thrown;
    throw thrown;
  }
}

/** Step 4: on disk that the credential is about to be sent; and the last look whether we are still the ones to send it. */
async function intend(
  { ports, account }: Spend,
  lock: AccountLock,
  record: AccountRecord,
  reservation: Reservation,
): Promise<AccountRecord> {
  try {
    const intended = withIntent(record, ports.world.random.id(), ports.world.clock.now());
    await ports.store.saveAccount(intended);
    await ports.steps.reached('intent-saved');
    if (!(await lock.stillOurs())) throw lostLock(account);
    return intended;
  } catch (thrown) {
    await reservation.release();
    throw thrown;
  }
}

function lostLock(account: Account): Fault {
  return new Fault(
    'state-conflict',
    `the lock on account ${account.name} was lost before its refresh token was sent; nothing was sent`,
  );
}

/** No answer: nothing was sent and all is as before, or it is unknown and the intent stays. */
async function withoutAnswer(
  { ports, account }: Spend,
  spent: { record: AccountRecord; intended: AccountRecord; reservation: Reservation; raw: NoAnswer },
): Promise<Asked> {
  const { record, intended, reservation, raw } = spent;
  await reservation.release();
  if (raw.sent === 'no') {
    await ports.store.saveAccount(next(intended, { intent: record.intent }));
    return askedFromNoAnswer(raw);
  }
  await ports.store.saveAccount(
    next(intended, { intent: intended.intent && { ...intended.intent, outcome: 'unknown' } }),
  );
  const sentence = `${raw.fault.message}; the request was sent, so the refresh token of account ${account.name} may have been used`;
  return { kind: 'failed', fault: new Fault('outcome-unknown', sentence, { cause: raw.fault }), retryAfter: undefined };
}

interface Answered {
  readonly home: CredentialHome;
  readonly intended: AccountRecord;
  readonly secrets: AccountSecrets;
  readonly reservation: Reservation;
  readonly raw: RawAnswer;
  readonly salvage: Salvage;
}

/** Step 6: the successor is on disk before the answer is looked at any further. Without one, the present credential stays. */
async function keep(
  spend: Spend,
  { home, intended, secrets, reservation, raw, salvage }: Answered,
): Promise<AccountRecord> {
  const { ports, account } = spend;
  const { successor } = salvage;
  const present = secrets.credential;
  if (successor === undefined || (present !== undefined && successor.equals(present))) {
    await reservation.release();
    return intended;
  }
  const expiry = expiryOf({ credential: successor, says: salvage.credentialExpiresIn, account, at: raw.receivedAt });
  const next = withCredential(intended, successor, raw.receivedAt, expiry);
  const saving = { home, next, secrets: { ...secrets, credential: successor }, successor, reservation };
  const record = await saveSuccessor(spend, saving);
  await reservation.release();
  await ports.steps.reached('spool-released');
  return record;
}

interface Saving {
  readonly home: CredentialHome;
  readonly next: AccountRecord;
  readonly secrets: AccountSecrets;
  readonly successor: Credential;
  readonly reservation: Reservation;
}

/** Spool first, store second. If the spool takes it and the store does not, the spool keeps it until the next look. */
async function saveSuccessor(
  { ports, account }: Spend,
  { home, next, secrets, successor, reservation }: Saving,
): Promise<AccountRecord> {
  let spooled = false;
  let stored: AccountRecord | undefined;
  await ports.held.untilSaved(account.name, async () => {
    try {
      await reservation.save(successor, next.generation);
      spooled = true;
    } catch (thrown) {
      // The store may be on another file system.
      stored = await home.record(ports, next, secrets, 'nowhere-yet').catch(() => {
        throw thrown;
      });
    }
  });
  if (spooled) await ports.steps.reached('successor-spooled');
  stored ??= await home.record(ports, next, secrets, 'reserved');
  await ports.steps.reached('successor-stored');
  return stored;
}
