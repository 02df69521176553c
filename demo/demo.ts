// npm run demo: an issuer nobody here wrote, three tokens with short lives, kept fresh and checked before your eyes.
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Interruption, interruption } from '../src/cli/demo/interruption.ts';
import { finish } from '../src/cli/demo/own-commands.ts';
import { Screen } from '../src/cli/demo/screen.ts';
import { Watch } from '../src/cli/demo/watch.ts';
import { processIo } from '../src/cli/io.ts';
import { paintFor } from '../src/cli/paint.ts';
import { word } from '../src/observe/next-step.ts';
import { approve } from '../test/peers/approve.ts';
import { audience, type Stage, setStage, tokenLife } from './stage.ts';

const { stdout } = processIo();
const screen = new Screen(stdout, paintFor(stdout, true, process.env));
const stop = AbortSignal.any([interruption(), screen.lost]);

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
  const { status, stdout, stderr } = await finish(stage.commands.start(args), onLine);
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

async function keepFresh(stage: Stage): Promise<Watch> {
  screen.say(
    screen.paint.bold(`$ tokeep run        (tokens live ${tokenLife} s; the issuer will be killed on the way)`),
  );
  const check = async (name: string) => {
    const text = (await readFile(join(stage.dir, `${name}.token`), 'utf8')).trim();
    return { said: `signature good, for ${await stage.check(text)}` };
  };
  const watch = new Watch({ screen, ways, check, stop });
  const child = stage.commands.start(['run', '--json', '--verbose']);
  const ended = finish(child, (line) => watch.line(line));
  await wait(8000);
  screen.happened(screen.paint.bad('the issuer is killed (SIGKILL)'));
  await stage.issuer.kill();
  await wait(4000);
  await stage.issuer.restart();
  screen.happened(screen.paint.good('the issuer is back, on the same port'));
  await wait(9000);
  child.kill('SIGTERM');
  const { status } = await ended;
  await watch.settled();
  screen.end();
  if (status !== 0) watch.problems.push(`tokeep run ended with ${status}`);
  return watch;
}

/** Rejects with its reason when it fires. */
function stopped(by: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  by.addEventListener('abort', () => {
    // What was under way fails now that its processes are ended, and nobody waits for it any more.
    process.on('unhandledRejection', () => {});
    reject(by.reason);
  });
  promise.catch(() => {});
  return promise;
}

async function main(): Promise<number> {
  const stopping = stopped(stop);
  try {
    await using stage = await setStage();
    return await Promise.race([play(stage), stopping]);
  } catch (thrown) {
    // A signal from a terminal also ends the issuer, which may be noticed first.
    const cause = await Promise.race([stopping, wait(100, thrown)]).catch((signal: unknown) => signal);
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
  for (const problem of watch.problems) screen.say(screen.paint.bad(problem));
  const good = 'the tokens were kept fresh, the issuer came and went, and nothing is left behind';
  screen.say(watch.problems.length === 0 ? screen.paint.good(good) : 'the demo failed');
  return watch.problems.length === 0 ? 0 : 1;
}

process.exit(await main());
