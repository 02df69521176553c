import type { Account } from '../config/config.ts';
import { asFault, Fault } from '../fault/fault.ts';
import type { CredentialHome } from '../renew/credential-home.ts';
import { Daemon } from '../renew/daemon.ts';
import { Engine } from '../renew/engine.ts';
import type { JobReport } from '../renew/job.ts';
import { storeHome } from '../renew/store-home.ts';
import { between, type Mono, minutes, seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { actOn, deliverBare, forgetAbsent, type Told } from './credmon-changes.ts';
import type { CredmonDeps } from './credmon-deps.ts';
import { type CredentialDirectory, type DirectoryChange, openCredentialDirectory } from './directory.ts';
import { type Changes, joined, KeptCredentials } from './kept-credentials.ts';
import { Rules } from './rules.ts';
import type { CredmonSettings } from './settings.ts';
import { topHome } from './top-home.ts';
import { HeldTop } from './top-place.ts';
import { isDenied } from './vault-denial.ts';

/** Mapfiles of groups are looked at this often. */
const rulesEvery = minutes(1);
const understoodAtATime = 500;
/** Request files that nobody used, and what dead processes left. */
const tidyEvery = minutes(30);

/**
 * The credmon: HTCondor's credential directory as a source of wishes for the renewer's engine. It looks at the whole directory once;
 * after that only at users where something changed. Resolves when it was told to stop and what was under way has come to its end.
 *
 * Throws what a directory, a state or a configuration that cannot be worked with throws.
 */
export async function runCredmon(deps: CredmonDeps): Promise<void> {
  const { world, settings, store, spool, log, node, ownIssuers } = deps;
  const directory = openCredentialDirectory(world, settings.directory, settings);
  await directory.check();
  await directory.begin(deps.pid);
  const rules = await Rules.of(deps, settings);
  const kept = new KeptCredentials(deps.base, settings.directory);
  const credmon = new Credmon(deps, { directory, kept, rules });
  // Watched before it is read, so that nothing falls between the two.
  await using _watch = await directory.watch((change) => credmon.changed(change));
  await credmon.readAll();
  deps.lookout.opened(() => kept.config);
  const homeOf = (account: Account) => homes(world, account, kept, settings.directory);
  const engine = await Engine.open({
    ...{ world, store, spool, log, node, ownIssuers, homeOf },
    config: kept.config,
    absent: 'park',
  });
  await deps.networkReady;
  await credmon.run(engine);
}

/** A user's own credential lies in its `.top`; what the access point itself holds, in the store. */
function homes(world: World, account: Account, kept: KeptCredentials, directory: string): CredentialHome {
  const spends = account.grant === 'refresh_token' || account.grant === 'mytoken';
  const place = spends ? kept.placeOf(account.name) : undefined;
  return place === undefined ? storeHome : topHome(world, { directory, ...place });
}

interface Parts {
  readonly directory: CredentialDirectory;
  readonly kept: KeptCredentials;
  readonly rules: Rules;
}

class Credmon {
  readonly #deps: CredmonDeps;
  readonly #directory: CredentialDirectory;
  readonly #kept: KeptCredentials;
  #rules: Rules;
  #running: { readonly engine: Engine; readonly daemon: Daemon } | undefined;
  /** Users to look at; everybody after a new configuration, or when the watch lost its thread. */
  #dirty = new Set<string>();
  #everybody = false;
  #looking: Promise<void> | undefined;
  #reconfiguring: Promise<void> | undefined;
  #reconfigureAgain = false;
  #rulesAt: Mono;
  #tidyAt: Mono;

  constructor(deps: CredmonDeps, { directory, kept, rules }: Parts) {
    this.#deps = deps;
    this.#directory = directory;
    this.#kept = kept;
    this.#rules = rules;
    this.#rulesAt = deps.world.clock.monotonic();
    this.#tidyAt = this.#rulesAt;
    kept.alsoSay(() => [...this.#rules.findings, ...directory.findings.map((each) => this.#rules.finding(each))]);
  }

  /** Before anybody works with it. */
  async readAll(): Promise<void> {
    await this.#lookAtAll();
  }

  async run(engine: Engine): Promise<void> {
    const { lookout, signals } = this.#deps;
    await forgetAbsent(this.#told(engine));
    const daemon = new Daemon(engine, {
      ...signals,
      onTurn: () => this.#turn(),
      onReport: (report) => {
        lookout.happened();
        void this.#denied(report);
      },
    });
    this.#running = { engine, daemon };
    this.#lookSoon();
    this.#deps.onHangup(() => void this.#hangup());
    await this.#directory.complete();
    await lookout.ready(this.#kept.size);
    await daemon.run();
    await Promise.all([this.#looking, this.#reconfiguring]);
  }

  /** condor_credd has put something there, or HTCondor's configuration was changed: the signal is the same. */
  async #hangup(): Promise<void> {
    this.#reconfigureAgain = true;
    this.#reconfiguring ??= this.#reconfigureUntilDone().finally(() => {
      this.#reconfiguring = undefined;
    });
    try {
      await this.#directory.settle();
    } catch (thrown) {
      this.#unexpected('answering SIGHUP', thrown);
    }
    this.#running?.daemon.wake();
  }

  /** What was changed while it was read is read again. */
  async #reconfigureUntilDone(): Promise<void> {
    while (this.#reconfigureAgain) {
      this.#reconfigureAgain = false;
      await this.#reconfigure();
    }
  }

  /** What changed is only noted while nobody works with it yet. */
  changed({ users }: DirectoryChange): void {
    for (const user of users) this.#dirty.add(user);
    this.#lookSoon();
  }

  /** Another configuration, or other groups: every credential may mean something else. */
  #everythingChanged(): void {
    this.#everybody = true;
    this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#running === undefined || (!this.#everybody && this.#dirty.size === 0)) return;
    const { engine, daemon } = this.#running;
    this.#looking ??= this.#lookUntilClean(engine, daemon).finally(() => {
      this.#looking = undefined;
    });
  }

  async #lookUntilClean(engine: Engine, daemon: Daemon): Promise<void> {
    const { world, signals } = this.#deps;
    while ((this.#everybody || this.#dirty.size > 0) && !signals.stop.aborted) {
      const users = this.#dirty;
      const everybody = this.#everybody;
      this.#dirty = new Set();
      this.#everybody = false;
      try {
        const changes = everybody ? await this.#lookAtAll() : await this.#lookAt(users);
        await actOn(changes, this.#told(engine));
        daemon.wake();
        await deliverBare(engine, changes.bare);
        if (everybody) await engine.adopt(this.#kept.config).then(() => forgetAbsent(this.#told(engine)));
      } catch (thrown) {
        this.#unexpected('looking at the credential directory', thrown);
        // What `take` has in its memory and the engine was not told of is found by looking at all of it.
        this.#everybody = true;
        this.#kept.forgetLooks();
        await world.clock.sleep(seconds(5), signals.stop).catch(() => {});
      }
    }
  }

  async #lookAt(users: Iterable<string>): Promise<Changes> {
    const all: Changes[] = [];
    for (const user of users) {
      const found = await this.#directory.scanUser(user);
      if (this.#directory.closed.has(user)) continue;
      all.push(this.#kept.take(user, await this.#rules.understand(found)));
    }
    return joined(all);
  }

  /** Many at a time are understood together, so that what has to be run for them is run once; all at once would fill the memory. */
  async #lookAtAll(): Promise<Changes> {
    const found = Map.groupBy(await this.#directory.scan(), ({ credential }) => credential.user);
    const { closed } = this.#directory;
    const users = [...new Set([...this.#kept.users, ...found.keys()])].filter((user) => !closed.has(user));
    const all: Changes[] = [];
    for (let at = 0; at < users.length; at += understoodAtATime) {
      const some = users.slice(at, at + understoodAtATime);
      const taken = await Promise.all(some.map((user) => this.#rules.understand(found.get(user) ?? [])));
      for (const [nth, user] of some.entries()) {
        all.push(this.#kept.take(user, taken[nth] ?? []));
        found.delete(user);
      }
    }
    return joined(all);
  }

  async #turn(): Promise<void> {
    const { world, lookout } = this.#deps;
    const now = world.clock.monotonic();
    try {
      if (between(this.#rulesAt, now) >= rulesEvery) {
        this.#rulesAt = now;
        if (await this.#rules.changed()) this.#everythingChanged();
        await this.#rules.announceKeys();
        this.changed({ users: this.#directory.closed });
        await this.#directory.stayOn(this.#deps.pid);
        await this.#directory.complete();
      }
      if (between(this.#tidyAt, now) >= tidyEvery) {
        this.#tidyAt = now;
        await this.#directory.tidy(world.clock.now());
        if (this.#running !== undefined) await forgetAbsent(this.#told(this.#running.engine));
      }
    } catch (thrown) {
      this.#unexpected('looking after the credential directory', thrown);
    }
    await lookout.turn();
  }

  /** A configuration that cannot be read changes nothing; where things lie is fixed at the start. */
  async #reconfigure(): Promise<void> {
    const { settings: running } = this.#rules;
    const { log } = this.#deps;
    try {
      const settings = await this.#deps.reread();
      if (settings === undefined) return;
      const places = ({ directory, state, specialNames }: CredmonSettings) =>
        JSON.stringify([directory, state, specialNames]);
      if (places(settings) !== places(running)) {
        const sentence =
          'it names another directory for credentials or state, or other rules of names; that takes a restart';
        throw new Fault('config-invalid', sentence);
      }
      const base = await this.#deps.rebase(settings);
      this.#rules = await Rules.of(this.#deps, settings);
      this.#kept.rebase(base);
      const { wishes, accounts } = this.#kept.config;
      log.event('config-reloaded', { config: running.directory, wishes: wishes.size, accounts: accounts.size });
      this.#everythingChanged();
    } catch (thrown) {
      const reason = asFault(thrown, "reading HTCondor's configuration").message;
      log.event('config-rejected', { config: running.directory, reason });
    }
  }

  /** As the shipped credmon does, so that the next submit gets a new one: condor_vault_storer stores nothing while one is there. */
  async #denied({ wish, fault }: JobReport): Promise<void> {
    const account = () => this.#kept.config.accounts.get(wish.account);
    if (fault === undefined || account()?.grant !== 'vault') return;
    const { world, store, log } = this.#deps;
    try {
      const record = await store.account(wish.account);
      if (record === undefined || !isDenied(record)) return;
      await this.#directory.settle();
      await this.#looking;
      // Somebody may have stored another token since that one was sent.
      const place = account()?.fingerprint === record.fingerprint ? this.#kept.placeOf(wish.name) : undefined;
      if (place === undefined) return;
      await using top = new HeldTop(world, { directory: this.#directory.path, ...place });
      if (await top.remove()) log.event('credential-removed', { account: wish.account, reason: fault.message });
    } catch (thrown) {
      this.#unexpected(`removing the credential of ${wish.name}`, thrown);
    }
  }

  #told(engine: Engine): Told {
    return { engine, kept: this.#kept };
  }

  #unexpected(doing: string, thrown: unknown): void {
    this.#deps.log.event('unexpected-fault', { doing, reason: asFault(thrown, doing).message });
  }
}
