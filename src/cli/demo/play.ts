import { setTimeout as wait } from 'node:timers/promises';
import { exit } from '../../fault/codes.ts';
import { Fault } from '../../fault/fault.ts';
import { word } from '../../observe/next-step.ts';
import { type IssuerStage, keysAhead, type TokenName, tokenLife, tokens } from './issuer-stage.ts';
import { type Ended, finish } from './own-commands.ts';
import type { Screen } from './screen.ts';
import { Watch } from './watch.ts';

/** A program that goes on until it is told to stop. */
interface Running {
  /** Fires when it ended without having been told to. */
  readonly fallen: AbortSignal;
  stop(): Promise<void>;
}

/** How much of what a command said is shown. */
type Part = 'all' | 'first line' | 'nothing';

/** What comes about by itself gets this long, also on a machine that has much to do. */
const patience = 60_000;

/** The acts of the demonstration, in their order. Throws Fault `demo-failed` where something does not hold. */
export class Play {
  readonly #screen: Screen;
  readonly #stage: IssuerStage;
  readonly #stop: AbortSignal;
  /** Which key signed the token that was delivered last. */
  readonly #signedBy = new Map<string, string>();

  /** When `stop` fires, all commands of the stage have to be ended by somebody else. */
  constructor(screen: Screen, stage: IssuerStage, stop: AbortSignal) {
    this.#screen = screen;
    this.#stage = stage;
    this.#stop = stop;
  }

  async run(seconds: number): Promise<void> {
    const screen = this.#screen;
    screen.say(`an issuer, its server and those who use it, on this machine only, in ${this.#stage.dir}\n`);
    await this.#makeIssuer();
    const server = await this.#serve();
    await this.#stage.writeConfig();
    await this.#command(['config', 'check', '--online']);
    const watch = await this.#keepFresh(seconds);
    screen.say('\neach token is a line in the audit log of the issuer:');
    await this.#command(['issuer', 'audit'], { show: 'all' });
    await server.stop();
    this.#conclude(watch);
  }

  async #makeIssuer(): Promise<void> {
    const { issuer } = this.#stage;
    const scopes = 'storage.read:/ compute.read compute.create';
    const audiences = ['--audience', 'https://se.example', '--audience', '*:9619'];
    await this.#stage.writeNothing();
    await this.#command(['issuer', 'init', '--issuer', issuer, '--scope', scopes, ...audiences], { show: 'all' });
    await this.#stage.shortenRotation();
    const grants = ['--grant', 'client_credentials', '--grant', 'token_exchange'];
    const bounds = ['--scope', 'storage.read:/', '--audience', 'https://se.example', '--lifetime', `${tokenLife}s`];
    const secret = ['--secret-file', this.#stage.path('robot.secret')];
    await this.#command(['issuer', 'client', 'add', 'robot', '--id', 'client-robot', ...grants, ...bounds, ...secret]);
  }

  async #serve(): Promise<Running> {
    const args = ['issuer', 'serve', '--listen', new URL(this.#stage.issuer).host];
    this.#show(args, '&');
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const server = this.#start(args, (line) => line.includes('issuer-serving') && resolve());
    await this.#within('issuer serve', server.fallen, async (signal) => await orAborted(ready, signal));
    return server;
  }

  async #keepFresh(seconds: number): Promise<Watch> {
    const screen = this.#screen;
    const since = performance.now();
    screen.say(
      `\nfive tokens that live ${tokenLife} s, checked by the keys that the server shows whenever one is delivered`,
    );
    this.#show(['run'], '&');
    const ways = Object.fromEntries(Object.entries(tokens).map(([name, { way }]) => [name, way]));
    const watch = new Watch({ screen, ways, check: (name) => this.#check(name as TokenName), stop: this.#stop });
    const daemon = this.#start(['run', '--json', '--verbose'], (line) => watch.line(line));
    const all = (holds: (name: string) => boolean) => () => [...watch.kept.keys()].every(holds);
    const until = (what: string, holds: () => boolean) =>
      this.#within(what, daemon.fallen, (signal) => watch.until(holds, signal));

    await until(
      'a first token of each kind',
      all((name) => this.#signedBy.has(name)),
    );
    await this.#ask();
    await this.#pause(since + 200 * seconds - performance.now());
    const kid = await this.#changeKeys(daemon);
    await until(
      'a token of each kind by the new key',
      all((name) => this.#signedBy.get(name) === kid),
    );
    await this.#pause(since + 1000 * seconds - performance.now());
    await daemon.stop();
    await watch.settled();
    screen.end();
    return watch;
  }

  /** As a service would ask: is it good, and what does it allow? */
  async #ask(): Promise<void> {
    const trust = (name: TokenName) => [
      ...['--token-file', this.#stage.tokenFile(name)],
      ...['--issuer', this.#stage.issuer, '--audience', tokens[name].audience],
    ];
    await this.#command(['verify', ...trust('ce1')], { show: 'all' });
    await this.#command(['can', 'read', '/run7/data.root', ...trust('run7')], { show: 'all' });
    await this.#command(['can', 'read', '/run8/data.root', ...trust('run7')], { show: 'all', expected: exit.refused });
  }

  /** A rotation, with days cut to seconds: published first, signing later. Gives the kid of the new key. */
  async #changeKeys(daemon: Running): Promise<string> {
    const before = await this.#stage.publishedKeys();
    await this.#command(['issuer', 'rotate', '--now', '--reason', 'to see it'], { show: 'first line' });
    const kid = await this.#within('the new key among those that the server shows', daemon.fallen, async (signal) => {
      for (;;) {
        const fresh = (await this.#stage.publishedKeys()).find((one) => !before.includes(one));
        if (fresh !== undefined) return fresh;
        await wait(300, undefined, { signal });
      }
    });
    this.#screen.happened(`the server shows the key ${short(kid)}, which may sign in ${keysAhead} s`);
    await this.#pause(1000 * keysAhead);
    await this.#command(['issuer', 'rotate'], { show: 'first line' });
    return kid;
  }

  async #check(name: TokenName): Promise<{ readonly said: string; readonly note: string }> {
    const { audience = 'every service', kid = '' } = await this.#stage.check(name);
    this.#signedBy.set(name, kid);
    return { said: `good by key ${short(kid)} for ${audience}`, note: `key ${short(kid)}` };
  }

  #conclude(watch: Watch): void {
    const screen = this.#screen;
    screen.say('');
    for (const [name, { renewals, checked, without }] of watch.kept) {
      const gap = without === 0 ? 'never without a valid one' : `without a valid one for ${without.toFixed(1)} s`;
      screen.say(`${name.padEnd(5)} ${renewals} renewals, ${checked} tokens checked, ${gap}`);
      if (without > 0) watch.problems.push(`${name} was ${gap}`);
      if (checked < renewals) watch.problems.push(`${renewals - checked} tokens of ${name} were not checked`);
    }
    const [first] = watch.problems;
    if (first !== undefined) throw new Fault('demo-failed', `not everything held: ${watch.problems.join('; ')}`);
    screen.say(screen.paint.good('kept fresh, checked, and under a new key; nothing of it is left behind'));
  }

  /** Runs it to its end. What it said is shown where asked for, and in the fault where it ended otherwise than it should. */
  async #command(
    args: readonly string[],
    { show = 'nothing', expected = exit.fine }: { readonly show?: Part; readonly expected?: number } = {},
  ): Promise<void> {
    this.#stop.throwIfAborted();
    // What it says stands right below it, whatever happens meanwhile.
    if (show === 'nothing') this.#show(args);
    const ended = await finish(this.#stage.commands.start(args));
    this.#stop.throwIfAborted();
    if (ended.status !== expected) throw endedWith(args, ended);
    if (show === 'nothing') return;
    this.#show(args);
    const said = this.#brief(expected === exit.fine ? ended.stdout : ended.stderr);
    this.#screen.say(show === 'all' ? said : (said.split('\n')[0] ?? ''));
  }

  #show(args: readonly string[], end?: string): void {
    const words = ['tokeep', ...args.map((arg) => word(this.#brief(arg)))];
    this.#screen.command(end === undefined ? words : [...words, end]);
  }

  #brief(text: string): string {
    return text.replaceAll(this.#stage.dir, '.').trimEnd();
  }

  #start(args: readonly string[], onLine: (line: string) => void): Running {
    const fallen = new AbortController();
    const child = this.#stage.commands.start(args);
    let told = false;
    const ended = finish(child, onLine);
    ended.then(
      (how) => told || fallen.abort(endedWith(args, how)),
      (thrown: unknown) => fallen.abort(thrown),
    );
    return {
      fallen: fallen.signal,
      async stop() {
        fallen.signal.throwIfAborted();
        told = true;
        child.kill('SIGTERM');
        const how = await ended;
        if (how.status !== exit.fine) throw endedWith(args, how);
      },
    };
  }

  /** Waits for what comes about by itself, unless the demonstration is stopped, a program that it needs falls, or patience ends. */
  async #within<T>(what: string, fallen: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = AbortSignal.timeout(patience);
    const signal = AbortSignal.any([this.#stop, fallen, late]);
    try {
      return await work(signal);
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
      if (signal.reason !== late.reason) throw signal.reason;
      throw new Fault('demo-failed', `waited ${patience / 1000} s for ${what}, in vain`);
    }
  }

  async #pause(length: number): Promise<void> {
    if (length > 0) await wait(length, undefined, { signal: this.#stop });
  }
}

const short = (kid: string): string => kid.slice(0, 6);

const endedWith = (args: readonly string[], { status, stdout, stderr }: Ended): Fault =>
  new Fault('demo-failed', `tokeep ${args.join(' ')} ended with ${status ?? 'a signal'}`, {
    hint: `${stderr}\n${stdout}`.trim(),
  });

async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return await Promise.race([promise, aborted]);
}
