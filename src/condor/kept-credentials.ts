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
  /** The fingerprint of the credential in it. */
  readonly holds?: string;
  readonly understood: Understood;
}

/** What a look at users came to, for the engine. */
export interface Changes {
  /** New ones, and those that ask for something else. */
  readonly enrol: readonly Wish[];
  /** The `.top` with their credential is another file than before: somebody put another one there, or we did. */
  readonly replaced: readonly WishName[];
  /** Their account is another one, or they were unfit. */
  readonly mended: readonly WishName[];
  /** Their `.use` is not there, or has to have another form. */
  readonly bare: readonly WishName[];
  /** Their `.top` is there and is no wish any more: what is known of them stays. */
  readonly unfit: readonly WishName[];
  /** Their `.top` is gone. */
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
  readonly #directory: string;
  #config: Config;

  constructor(base: Config, directory: string) {
    this.#directory = directory;
    this.#config = this.#on(base);
  }

  get config(): Config {
    return this.#config;
  }

  /** The configuration beside the directory is another one by now. */
  rebase(base: Config): void {
    this.#config = this.#on(base);
  }

  #on(base: Config): Config {
    const findings = () => [...base.findings, ...this.#others(), ...this.#findings.values()];
    return {
      ...base,
      file: this.#directory,
      ofUsers: true,
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

  /** No user has anything in the directory, or it is not mounted. */
  get isEmpty(): boolean {
    return this.#users.size === 0;
  }

  get size(): number {
    return this.#wishes.size;
  }

  /** Where the credential of an account lies, if it is a user's own. */
  placeOf(account: AccountName | WishName): Pick<CredentialName, 'user' | 'name'> | undefined {
    const at = account.indexOf('/');
    return at === -1 ? undefined : { user: account.slice(0, at), name: account.slice(at + 1) };
  }

  /** The fingerprint of the credential in the `.top` of an account. */
  heldBy(account: AccountName): string | undefined {
    const place = this.placeOf(account);
    return place === undefined ? undefined : this.#users.get(place.user)?.get(place.name)?.holds;
  }

  /** Whether its `.top` stands in the directory, be it fit or not. */
  stands(name: AccountName | WishName): boolean {
    const place = this.placeOf(name);
    return place !== undefined && this.#users.get(place.user)?.has(place.name) === true;
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
    const newTops = new Set(
      [...now.values()].flatMap(({ credential, identity }) =>
        before.get(credential.name)?.identity === identity ? [] : [accountNameOf(credential)],
      ),
    );
    const enrol: Wish[] = [];
    const replaced: WishName[] = [];
    const mended: WishName[] = [];
    const bare: WishName[] = [];
    for (const [name, each] of now) {
      const meant = this.#takeOne(each);
      if (meant === undefined) continue;
      const { account, wish } = meant;
      const old = before.get(name);
      if (!sameWish(old, wish)) enrol.push(wish);
      if (!each.hasUse || isReshaped(old, wish)) bare.push(wish.name);
      if (old === undefined) continue;
      // A handle has the credential of another file.
      if (newTops.has(accountNameOf(each.credential)) || newTops.has(account.name)) replaced.push(wish.name);
      if (!sameAccount(old, account)) mended.push(wish.name);
    }
    return { enrol, replaced, mended, bare, ...this.#dropped(before, now) };
  }

  #takeOne({ credential, understood }: Taken): Extract<Understood, { kind: 'wish' }> | undefined {
    const name = wishNameOf(credential);
    this.#findings.delete(name);
    if (understood.kind === 'unfit') this.#findings.set(name, understood.finding);
    if (understood.kind !== 'wish') return undefined;
    const { account, wish } = understood;
    this.#accounts.set(account.name, account);
    this.#wishes.set(wish.name, wish);
    return understood;
  }

  #dropped(before: ReadonlyMap<string, Taken>, now: ReadonlyMap<string, Taken>): Pick<Changes, 'unfit' | 'gone'> {
    const used = new Set(
      [...now.values()].flatMap(({ understood }) => (understood.kind === 'wish' ? [understood.account.name] : [])),
    );
    const unfit: WishName[] = [];
    const gone = { wishes: [] as WishName[], accounts: [] as AccountName[] };
    for (const [name, { credential }] of before) {
      const [wish, account] = [wishNameOf(credential), accountNameOf(credential)];
      const stands = now.has(name);
      if (!stands) this.#findings.delete(wish);
      if (now.get(name)?.understood.kind !== 'wish' && this.#wishes.delete(wish))
        (stands ? unfit : gone.wishes).push(wish);
      if (!used.has(account) && this.#accounts.delete(account) && !stands) gone.accounts.push(account);
    }
    return { unfit, gone };
  }
}

const sameWish = (old: Taken | undefined, wish: Wish): boolean =>
  old?.understood.kind === 'wish' &&
  old.understood.wish.fingerprint === wish.fingerprint &&
  old.understood.wish.account === wish.account;

const isReshaped = (old: Taken | undefined, wish: Wish): boolean =>
  old?.understood.kind === 'wish' && old.understood.wish.targets[0]?.id !== wish.targets[0]?.id;

const sameAccount = (old: Taken, account: Account): boolean =>
  old.understood.kind === 'wish' && old.understood.account.fingerprint === account.fingerprint;

/** Several looks as one. */
export function joined(all: readonly Changes[]): Changes {
  return {
    enrol: all.flatMap(({ enrol }) => enrol),
    replaced: all.flatMap(({ replaced }) => replaced),
    mended: all.flatMap(({ mended }) => mended),
    bare: all.flatMap(({ bare }) => bare),
    unfit: all.flatMap(({ unfit }) => unfit),
    gone: {
      wishes: all.flatMap(({ gone }) => gone.wishes),
      accounts: all.flatMap(({ gone }) => gone.accounts),
    },
  };
}
