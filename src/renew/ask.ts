import type { Grant, GrantContext } from '../acquire/grant.ts';
import { grantOf } from '../acquire/grants.ts';
import { issuerOf } from '../acquire/token-endpoint-of.ts';
import type { Account } from '../config/config.ts';
import { asFault } from '../fault/fault.ts';
import type { AccountRecord } from '../store/records.ts';
import { accountHeld, blankAccount } from './account-state.ts';
import { type Asked, askedFrom, askedFromNoAnswer, heldBack, inTheWeather, issuerResult, notLetIn } from './asked.ts';
import { concluded } from './conclusion.ts';
import { timesOf } from './local-time.ts';
import type { Errand, RenewPorts } from './ports.ts';
import { rotate } from './rotation.ts';

/** Asks the account's issuer for one token, by the rotation protocol where asking uses the credential up. */
export async function ask(ports: RenewPorts, account: Account, errand: Errand): Promise<Asked> {
  const grant = grantOf(account);
  if (grant.asks === 'nobody') return await answerHere(ports, account, grant, errand);
  const asked = await askOnce(ports, account, errand);
  if (asked.kind !== 'failed') return asked;
  const record = await ports.store.account(account.name);
  return inTheWeather(asked, ports.desk.state(grant.issuerKey(account, record)));
}

/** The grant answers by itself: no queue, no network, nothing to learn of anybody. */
async function answerHere(ports: RenewPorts, account: Account, grant: Grant, errand: Errand): Promise<Asked> {
  const { world, ownIssuers } = ports;
  const signal = errand.signals.request;
  const context: GrantContext = { world, account, record: undefined, secrets: {}, signal, ownIssuers };
  const raw = await grant.send(context, errand.request);
  if (raw.kind === 'none') return askedFromNoAnswer(raw);
  return askedFrom(grant.judge(raw, context), raw, undefined);
}

async function askOnce(ports: RenewPorts, account: Account, errand: Errand): Promise<Asked> {
  const { signals } = errand;
  const grant = grantOf(account);
  if (grant.spends === 'credential') return rotate({ ports, account, grant, ...errand });
  const record = await ports.store.account(account.name);
  if (record?.trouble === null || record === undefined) return askPlainly(ports, { account, grant, ...errand, record });
  // The account was refused as a whole: one wish asks for all of them, the others then see what came of it.
  await using _lock = await ports.store.lockAccount(account.name, signals.waiting);
  const again = await ports.store.account(account.name);
  const held = accountHeld(again, account, ports.world.clock.now(), errand);
  if (held !== undefined) return heldBack(held, ports.world);
  return askPlainly(ports, { account, grant, ...errand, record: again });
}

interface Plain extends Errand {
  readonly account: Account;
  readonly grant: Grant;
  readonly record: AccountRecord | undefined;
}

async function askPlainly(ports: RenewPorts, plain: Plain): Promise<Asked> {
  const { account, grant, request, signals, record } = plain;
  const entrance = await ports.desk.enter(grant.issuerKey(account, record), signals.waiting, plain);
  if (entrance.kind !== 'in') return notLetIn(entrance, ports.world);
  const { ticket } = entrance;
  try {
    const secrets = record === undefined ? {} : await ports.store.secrets(account.name);
    const context: GrantContext = { world: ports.world, account, record, secrets, signal: signals.request };
    const raw = await grant.send(context, request);
    if (raw.kind === 'none') {
      ticket.leave(issuerResult(raw));
      return askedFromNoAnswer(raw);
    }
    ports.issuers.clockSeen(grant.issuerKey(account, record), timesOf(raw).skew);
    const outcome = grant.judge(raw, context);
    ticket.leave(issuerResult(outcome));
    const before = record ?? blankAccount(account);
    const salvage = grant.salvage(raw, context);
    const moment = { now: ports.world.clock.now(), chance: ports.world.random.unit() };
    const { record: after } = concluded({ account, before, kept: before, raw, salvage, outcome, moment });
    if (after !== before) await rememberLoosely(ports, after);
    return askedFrom(outcome, raw, issuerOf(account, after) ?? after.client?.issuer);
  } finally {
    ticket.leave({ kind: 'unused' });
  }
}

/** Nothing was spent, so losing a race over what was learnt loses nothing: the winner learnt it too. */
async function rememberLoosely(ports: RenewPorts, record: AccountRecord): Promise<void> {
  try {
    await ports.store.saveAccount(record);
  } catch (thrown) {
    const fault = asFault(thrown, `remembering what was learnt of account ${record.name}`);
    if (fault.code !== 'state-conflict') throw fault;
  }
}
