import { asksDefaultGroups } from '../token/groups.ts';
import type { AccountName, WishName } from '../token/names.ts';
import type { Account, Position, TokenExchangeAccount, Wish } from './config.ts';
import type { Findings } from './finding.ts';

export interface AccountEntry {
  readonly account: Account;
  /** Where `subject` of a token_exchange account stands. */
  readonly subjectAt: Position;
}
export interface WishEntry {
  readonly wish: Wish;
  /** The section it comes from, such as `tokens.ce-{name}`. */
  readonly section: string;
  /** Where the account is named. */
  readonly accountAt: Position;
}

interface Parts {
  readonly accounts: ReadonlyMap<AccountName, Account>;
  readonly wishes: ReadonlyMap<WishName, Wish>;
}

/**
 * Puts accounts and wishes together: what names something that is not there, or is there twice, is left out with a finding.
 * `written` are the names of all account sections, also of those that were left out.
 */
export function assemble(
  accountEntries: readonly AccountEntry[],
  wishEntries: readonly WishEntry[],
  written: { readonly accounts: ReadonlySet<string>; readonly tokens: ReadonlySet<string> },
  findings: Findings,
): Parts {
  const accounts = new Map(accountEntries.map((entry) => [entry.account.name, entry]));
  const wishes = distinct(wishEntries, findings);
  const names = new Set([...written.tokens, ...wishes.keys()]);
  refuseCycles(accounts, wishes, findings);
  refuseUnsaid(accounts, wishes, findings);
  // Leaving one thing out can take the ground from another, so this goes on until nothing changes.
  for (let before = -1; before !== accounts.size + wishes.size; ) {
    before = accounts.size + wishes.size;
    for (const [name, entry] of wishes) {
      if (accounts.has(entry.wish.account)) continue;
      findings.error(entry.accountAt, missing('account', entry.wish.account, written.accounts, 'token'), {
        section: entry.section,
        unknown: { word: entry.wish.account, known: accounts.keys() },
      });
      wishes.delete(name);
    }
    for (const [name, { account, subjectAt }] of accounts) {
      if (account.grant !== 'token_exchange' || wishes.has(account.subject)) continue;
      findings.error(subjectAt, missing('token', account.subject, names, 'account'), {
        section: `accounts.${name}`,
        unknown: { word: account.subject, known: wishes.keys() },
      });
      accounts.delete(name);
    }
  }
  return {
    accounts: new Map([...accounts].map(([name, entry]) => [name, entry.account])),
    wishes: new Map([...wishes].map(([name, entry]) => [name, entry.wish])),
  };
}

function missing(what: string, name: string, written: ReadonlySet<string>, dependent: string): string {
  if (!written.has(name)) return `there is no ${what} "${name}"`;
  return `${what} "${name}" has an error and is left out, and so is this ${dependent}`;
}

/** Who signs tokens itself has nobody to ask for whom they are. */
function refuseUnsaid(
  accounts: ReadonlyMap<AccountName, AccountEntry>,
  wishes: Map<WishName, WishEntry>,
  findings: Findings,
): void {
  for (const [name, { wish, accountAt, section }] of wishes) {
    const grant = accounts.get(wish.account)?.account.grant;
    if (grant !== 'signing_key' && grant !== 'idtoken') continue;
    const { scope } = wish;
    const forNobody = wish.audience.audiences.length === 0;
    const unsaid = [
      ...(wish.subject === undefined ? ['"subject"'] : []),
      ...(grant === 'signing_key' && forNobody ? ['"audience"'] : []),
    ];
    if (unsaid.length > 0) {
      const message = `token "${name}" lacks ${unsaid.join(' and ')}: account "${wish.account}" signs itself, and has to be told`;
      findings.error(accountAt, message, { section });
    } else if (grant === 'signing_key' && scope.kind === 'scopes' && asksDefaultGroups(scope.scopes)) {
      const message = `token "${name}" asks for the default groups ("wlcg.groups"), and account "${wish.account}" signs itself, and has none: name them, as in wlcg.groups:/vo`;
      findings.error(accountAt, message, { section });
    } else if (grant === 'idtoken' && !forNobody) {
      findings.error(accountAt, `token "${name}" has an "audience", and an IDTOKEN is for the whole pool`, { section });
    } else continue;
    wishes.delete(name);
  }
}

/** The first of several wishes with one name, or with one file to write to, stays. */
function distinct(entries: readonly WishEntry[], findings: Findings): Map<WishName, WishEntry> {
  const wishes = new Map<WishName, WishEntry>();
  const writers = new Map<string, Wish>();
  for (const entry of entries) {
    const { wish, section } = entry;
    const before = wishes.get(wish.name);
    if (before !== undefined) {
      findings.error(wish.at, `there is already a token "${wish.name}", at line ${before.wish.at.line}`, { section });
      continue;
    }
    const files = wish.targets.filter((target) => target.kind !== 'exec').map((target) => target.id);
    const taken = files.find((id) => writers.has(id));
    if (taken !== undefined) {
      const other = writers.get(taken)?.name;
      findings.error(
        wish.at,
        `token "${wish.name}" is delivered to ${taken.replace(':', ' ')}, and so is token "${other}"`,
        { section },
      );
      continue;
    }
    for (const id of files) writers.set(id, wish);
    wishes.set(wish.name, entry);
  }
  return wishes;
}

/** An exchange whose subject is, over other exchanges, its own result can never begin. */
function refuseCycles(
  accounts: Map<AccountName, AccountEntry>,
  wishes: ReadonlyMap<WishName, WishEntry>,
  findings: Findings,
): void {
  for (const [name, { subjectAt }] of [...accounts]) {
    const way = exchangeChain(name, accounts, wishes);
    if (way.length < 2 || way.at(-1) !== name) continue;
    findings.error(subjectAt, `account "${name}" exchanges a token that comes from itself (${way.join(' → ')})`, {
      section: `accounts.${name}`,
    });
    accounts.delete(name);
  }
}

/** The accounts that a token of this one comes from, until one has no subject or has been seen. */
function exchangeChain(
  start: AccountName,
  accounts: ReadonlyMap<AccountName, AccountEntry>,
  wishes: ReadonlyMap<WishName, WishEntry>,
): readonly AccountName[] {
  const way = [start];
  const isExchange = (account: Account | undefined): account is TokenExchangeAccount =>
    account?.grant === 'token_exchange';
  for (let account = accounts.get(start)?.account; isExchange(account); ) {
    const next = wishes.get(account.subject)?.wish.account;
    if (next === undefined) return way;
    const again = way.includes(next);
    way.push(next);
    if (again) return way;
    account = accounts.get(next)?.account;
  }
  return way;
}
