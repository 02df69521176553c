import type { Account, Config, ConfigFinding, Wish } from '../config/config.ts';
import type { AccountName, WishName } from '../token/names.ts';
import { accountNameOf, type CredentialName, wishNameOf } from './credential-name.ts';
import type { Understanding } from './understanding.ts';

/** A credential, understood; what is not fit comes with the finding that says why. */
export type Understood =
  | Extract<Understanding, { kind: 'wish' | 'ignored' }>
  | { readonly kind: 'unfit'; readonly finding: ConfigFinding };

/** A credential of a user as it was understood. */
export interface Taken {
  readonly credential: CredentialName;
  /** Of its `.top` file; another one means that somebody put something else there, or we did. */
  readonly identity: string;
  readonly hasUse: boolean;
  readonly understood: Understood;
}

/** What a look at users came to, for the engine. */
export interface Changes {
  /** New ones, and those that ask for something else. */
  readonly enrol: readonly Wish[];
  /** Their `.top` is another file than before. */
  readonly replaced: readonly WishName[];
  /** Their `.use` is not there, or has to have another form. */
  readonly bare: readonly WishName[];
  readonly gone: { readonly wishes: readonly WishName[]; readonly accounts: readonly AccountName[] };
}

/**
 * The credential directory as wishes and accounts: the {@link Config} that the engine works with, kept up to date user by user. Accounts
 * that all users share (the access point's own client or key) stay; a user's own go with their last wish.
 */
export class KeptCredentials {
  readonly #users = new Map<string, ReadonlyMap<string, Taken>>();
  readonly #wishes = new Map<WishName, Wish>();
  readonly #accounts = new Map<AccountName, Account>();
  readonly #findings = new Map<WishName, ConfigFinding>();
  /** What is wrong with HTCondor's configuration, or with the directory. */
  #others: () => readonly ConfigFinding[] = () => [];
  readonly config: Config;

  constructor(base: Config, directory: string) {
    const findings = () => [...base.findings, ...this.#others(), ...this.#findings.values()];
    this.config = {
      ...base,
      file: directory,
      wishes: this.#wishes,
      accounts: this.#accounts,
      get findings() {
        return findings();
      },
    };
  }

  get users(): Iterable<string> {
    return this.#users.keys();
  }

  get size(): number {
    return this.#wishes.size;
  }

  /** Where the credential of an account lies, if it is a user's own. */
  placeOf(account: AccountName | WishName): Pick<CredentialName, 'user' | 'name'> | undefined {
    const at = account.indexOf('/');
    return at === -1 ? undefined : { user: account.slice(0, at), name: account.slice(at + 1) };
  }

  /** The next look takes everything for new: what came of the last one is not known to have arrived. */
  forgetLooks(): void {
    for (const [user, taken] of this.#users) {
      this.#users.set(
        user,
        new Map([...taken].map(([name, each]) => [name, { ...each, understood: { kind: 'ignored' } }])),
      );
    }
  }

  alsoSay(others: () => readonly ConfigFinding[]): void {
    this.#others = others;
  }

  /** Takes a user's credentials in as they are now; none means that the user is gone. */
  take(user: string, found: readonly Taken[]): Changes {
    const before = this.#users.get(user) ?? new Map<string, Taken>();
    const now = new Map(found.map((each) => [each.credential.name, each]));
    if (now.size === 0) this.#users.delete(user);
    else this.#users.set(user, now);
    const enrol: Wish[] = [];
    const replaced: WishName[] = [];
    const bare: WishName[] = [];
    for (const [name, each] of now) {
      const wish = this.#takeOne(each);
      if (wish === undefined) continue;
      const old = before.get(name);
      if (!sameWish(old, wish)) enrol.push(wish);
      else if (old?.identity !== each.identity) replaced.push(wish.name);
      if (!each.hasUse || isReshaped(old, wish)) bare.push(wish.name);
    }
    return { enrol, replaced, bare, gone: this.#dropped(user, before, now) };
  }

  #takeOne({ credential, understood }: Taken): Wish | undefined {
    const name = wishNameOf(credential);
    this.#findings.delete(name);
    if (understood.kind === 'unfit') this.#findings.set(name, understood.finding);
    if (understood.kind !== 'wish') return undefined;
    const { account, wish } = understood;
    this.#accounts.set(account.name, account);
    this.#wishes.set(wish.name, wish);
    return wish;
  }

  #dropped(user: string, before: ReadonlyMap<string, Taken>, now: ReadonlyMap<string, Taken>): Changes['gone'] {
    const wishes: WishName[] = [];
    for (const [name, { credential }] of before) {
      const wish = wishNameOf(credential);
      if (!now.has(name)) this.#findings.delete(wish);
      if (now.get(name)?.understood.kind !== 'wish' && this.#wishes.delete(wish)) wishes.push(wish);
    }
    const used = new Set(
      [...now.values()].flatMap(({ understood }) => (understood.kind === 'wish' ? [understood.account.name] : [])),
    );
    const accounts = [...before.values()]
      .map(({ credential }) => accountNameOf({ user, name: credential.name }))
      .filter((name) => !used.has(name) && this.#accounts.delete(name));
    return { wishes, accounts };
  }
}

const sameWish = (old: Taken | undefined, wish: Wish): boolean =>
  old?.understood.kind === 'wish' &&
  old.understood.wish.fingerprint === wish.fingerprint &&
  old.understood.wish.account === wish.account;

const isReshaped = (old: Taken | undefined, wish: Wish): boolean =>
  old?.understood.kind === 'wish' && old.understood.wish.targets[0]?.id !== wish.targets[0]?.id;

/** Several looks as one. */
export function joined(all: readonly Changes[]): Changes {
  return {
    enrol: all.flatMap(({ enrol }) => enrol),
    replaced: all.flatMap(({ replaced }) => replaced),
    bare: all.flatMap(({ bare }) => bare),
    gone: {
      wishes: all.flatMap(({ gone }) => gone.wishes),
      accounts: all.flatMap(({ gone }) => gone.accounts),
    },
  };
}
