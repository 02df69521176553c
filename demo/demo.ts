// npm run demo: an issuer nobody here wrote, three tokens with short lives, kept fresh and checked before your eyes.
import { appendFile, readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { word } from '../src/observe/next-step.ts';
import { approve } from '../test/peers/approve.ts';
import { type Row, Screen } from './screen.ts';
import { audience, type Stage, setStage, tokenLife } from './stage.ts';
import { endAll, finish, tokeep } from './tokeep-command.ts';

const screen = new Screen();

const ways: Readonly<Record<string, string>> = {
  robot: 'client credentials',
  person: 'rotating refresh token',
  narrow: 'the same, one audience',
};

const tokens = (dir: string): string => `
tokens:
  robot:
    account: robot
    scope: [compute.read, compute.create]
    deliver: [{ file: ${dir}/robot.token }]
  person:
    account: person
    scope: ["storage.read:/"]
    deliver: [{ file: ${dir}/person.token }]
  narrow:
    account: person
    scope: ["storage.read:/"]
    audience: ${audience}
    deliver: [{ file: ${dir}/narrow.token, mode: "0400" }]
`;

/** Runs a command to its end and shows it; a failure ends the demo with what was said. */
async function command(stage: Stage, args: readonly string[], onLine?: (line: string) => void): Promise<string> {
  screen.command(['tokeep', ...args.map((arg) => word(arg.replace(stage.dir, '.')))]);
  const { status, stdout, stderr } = await finish(tokeep(stage.dir, args), onLine);
  if (status !== 0) throw new Error(`tokeep ${args[0]} ended with ${status}:\n${stderr}${stdout}`);
  return stdout;
}

async function setUp(stage: Stage): Promise<void> {
  const { issuer, caFile = '' } = stage.issuer;
  const { clientId, secretFile } = await stage.registerRobot();
  // Root would hand the state to the user tokeep, if there is one; everybody else keeps it anyway.
  const stay = process.getuid?.() === 0 ? ['--user', 'root'] : [];
  const here = ['--issuer', issuer, '--ca-file', caFile, ...stay, '--yes'];
  await command(stage, [
    'setup',
    'robot',
    '--client-credentials',
    '--client-id',
    clientId,
    '--client-secret-file',
    secretFile,
    ...here,
  ]);
  let approved: Promise<unknown> | undefined;
  await command(stage, ['setup', 'person', '--scope', 'offline_access storage.read:/', ...here], (line) => {
    const url = /https:\/\/\S+user_code=\S+/.exec(line)?.[0];
    if (url === undefined || approved !== undefined) return;
    screen.happened(`a person (played by the demo) opens ${url} and says yes`);
    approved = approve(url, { caFile });
  });
  await approved;
  await appendFile(join(stage.dir, 'config.yaml'), tokens(stage.dir));
  await command(stage, ['config', 'check', '--online']);
}

interface Kept {
  renewals: number;
  checked: number;
  expiresAt: number | undefined;
  /** How long there was no valid token, in seconds. */
  without: number;
  note: string;
}

/** Follows the daemon's log: one JSON object a line. */
class Watch {
  readonly kept = new Map<string, Kept>();
  readonly problems: string[] = [];
  readonly #stage: Stage;
  #checks: Promise<void> = Promise.resolve();

  constructor(stage: Stage) {
    this.#stage = stage;
    for (const name of Object.keys(ways))
      this.kept.set(name, { renewals: 0, checked: 0, expiresAt: undefined, without: 0, note: '' });
  }

  line(text: string): void {
    const event = JSON.parse(text) as Record<string, string>;
    const kept = this.kept.get(event['wish'] ?? '');
    if (event['event'] === 'token-renewed' && kept !== undefined) {
      kept.renewals += 1;
      if (kept.expiresAt !== undefined) kept.without += Math.max(0, (Date.now() - kept.expiresAt) / 1000);
      kept.expiresAt = Date.parse(event['expiresAt'] ?? '');
      kept.note = '';
    } else if (event['event'] === 'delivered' && kept !== undefined) {
      this.#checks = this.#checks.then(() => this.#check(event['wish'] ?? '', kept));
    } else if (event['event'] === 'renewal-failed' && kept !== undefined) {
      kept.note = 'tried again soon';
      screen.happened(screen.paint('yellow', `${(event['wish'] ?? '').padEnd(7)} not renewed: ${event['reason']}`));
    } else if (event['event'] === 'issuer-down' || event['event'] === 'issuer-back') {
      screen.happened(screen.paint('yellow', event['message'] ?? ''));
    }
    screen.show(this.rows());
  }

  rows(): readonly Row[] {
    return [...this.kept].map(([name, kept]) => ({ name, way: ways[name] ?? '', ...kept }));
  }

  /** Resolves when every delivered token so far was checked. */
  settled(): Promise<void> {
    return this.#checks;
  }

  async #check(name: string, kept: Kept): Promise<void> {
    try {
      const text = (await readFile(join(this.#stage.dir, `${name}.token`), 'utf8')).trim();
      const forWhom = await this.#stage.check(text);
      kept.checked += 1;
      screen.happened(`${screen.paint('green', name.padEnd(7))} renewed, delivered, signature good, for ${forWhom}`);
    } catch (thrown) {
      this.problems.push(`${name}: ${thrown}`);
      screen.happened(screen.paint('red', `${name}: ${thrown}`));
    }
  }
}

async function keepFresh(stage: Stage): Promise<Watch> {
  screen.say(
    screen.paint('bold', `$ tokeep run        (tokens live ${tokenLife} s; the issuer will be killed on the way)`),
  );
  const watch = new Watch(stage);
  const child = tokeep(stage.dir, ['run', '--json', '--verbose']);
  const ended = finish(child, (line) => watch.line(line));
  await wait(8000);
  screen.happened(screen.paint('red', 'the issuer is killed (SIGKILL)'));
  await stage.issuer.kill();
  await wait(4000);
  await stage.issuer.restart();
  screen.happened(screen.paint('green', 'the issuer is back, on the same port'));
  await wait(9000);
  child.kill('SIGTERM');
  const { status } = await ended;
  await watch.settled();
  screen.end();
  if (status !== 0) watch.problems.push(`tokeep run ended with ${status}`);
  return watch;
}

/** Rejects with its name when a signal says to stop. */
function interrupted(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      // What was under way fails now that its processes are ended, and nobody waits for it any more.
      process.on('unhandledRejection', () => {});
      reject(new Interruption(name));
    });
  }
  promise.catch(() => {});
  return promise;
}

class Interruption extends Error {
  readonly exitCode: number;

  constructor(name: 'SIGINT' | 'SIGTERM') {
    super(name);
    this.exitCode = 128 + constants.signals[name];
  }
}

async function main(): Promise<number> {
  const stop = interrupted();
  try {
    await using stage = await setStage();
    await using _commands = { [Symbol.asyncDispose]: endAll };
    return await Promise.race([play(stage), stop]);
  } catch (thrown) {
    // A signal from a terminal also ends the issuer, which may be noticed first.
    const cause = await Promise.race([stop, wait(100, thrown)]).catch((signal: unknown) => signal);
    if (!(cause instanceof Interruption)) throw cause;
    screen.end();
    screen.say('interrupted; nothing is left behind');
    return cause.exitCode;
  }
}

async function play(stage: Stage): Promise<number> {
  screen.say(
    `an OpenID provider (node-oidc-provider, its own process) at ${stage.issuer.issuer}, with a throw-away CA`,
  );
  await setUp(stage);
  const watch = await keepFresh(stage);
  screen.say(await command(stage, ['status']));
  for (const [name, { renewals, checked, without }] of watch.kept) {
    const gap =
      without === 0 ? 'never without a valid one' : `without a valid one for ${without.toFixed(1)} s of the outage`;
    screen.say(`${name.padEnd(8)} ${renewals} renewals, ${checked} tokens checked against the issuer's keys, ${gap}`);
    if (renewals < 3 || checked < renewals) watch.problems.push(`${name}: too few renewals or checks`);
  }
  for (const problem of watch.problems) screen.say(screen.paint('red', problem));
  const good = 'the tokens were kept fresh, the issuer came and went, and nothing is left behind';
  screen.say(watch.problems.length === 0 ? screen.paint('green', good) : 'the demo failed');
  return watch.problems.length === 0 ? 0 : 1;
}

process.exit(await main());
