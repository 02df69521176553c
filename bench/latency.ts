import { writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../src/renew/engine.ts';
import { runPass } from '../src/renew/pass.ts';
import { bareLoop, post, tokenIn } from './bare-loop.ts';
import { directoryOn } from './directory.ts';
import { type Effort, effortOf } from './effort.ts';
import { engineIn, neverAborted, placesIn, writeConfig } from './engine-in.ts';
import { type Figure, median, type Section } from './figure.ts';
import { fileBeside, startProgram } from './programs.ts';

const wishes = 2_000;
const issuers = 50;
const delay = 50;
/** The default limit; that of 100 a second is above what it lets through here. */
const atATime = 4;
const rounds = 3;
const sequential = 50;
/** In seconds. */
const life = 4;

/** Every issuer has its share of the wishes, and takes them four at a time. */
const ideal = (Math.ceil(wishes / issuers / atATime) * delay) / 1000;

export const latency: Section = {
  name: 'latency',
  title: 'Many issuers that take their time',
  how: `Renews ${wishes} due wishes of ${issuers} issuers that each answer after ${delay} ms, under the default limits (${atATime} at
a time and 100 a second for each issuer), whose metadata is known as in a running daemon; state and targets in memory. The ideal
is what those limits allow: ${ideal} s. In turns with it, a bare loop makes the same requests under the same concurrency with
node:http and writes the answers into files, with nothing besides (\`bare-loop.ts\`): the floor for a Node program on this machine.
Also in turns, the same wishes are asked for and written one after the other, the first ${sequential} of them, and their time is
multiplied by ${wishes / sequential}. Medians of ${rounds} rounds.`,
  async run(tell) {
    await using peers = await startProgram([fileBeside('slow-issuers.ts'), ...[issuers, delay, life].map(String)]);
    const origins = JSON.parse(peers.line) as readonly string[];
    await using directory = await directoryOn('memory');
    await writeConfig(directory.path, configFor(origins), 'secret');
    await using opened = await engineIn(directory.path);
    const measured: Round[] = [];
    for (let round = 0; round <= rounds; round++) {
      const one = await measureRound(opened.engine, origins, directory.path);
      tell(
        `${one.ours.took.toFixed(2)} s, bare loop ${one.bare.took.toFixed(2)} s, one after the other ${one.sequential.toFixed(0)} s`,
      );
      // The first round learns the metadata.
      if (round > 0) measured.push(one);
      await sleep(1000 * life);
    }
    return figuresOf(measured);
  },
};

interface Round {
  readonly ours: Effort;
  readonly bare: Effort;
  /** In seconds. */
  readonly sequential: number;
}

async function measureRound(engine: Engine, origins: readonly string[], dir: string): Promise<Round> {
  const { targets } = placesIn(dir);
  const bare = await bareLoop({ origins, dir: targets, each: wishes / issuers, atATime });
  const loop = (await oneAfterTheOther(origins, targets)) * (wishes / sequential);
  let renewed = 0;
  const ours = await effortOf(async () => {
    ({ renewed } = await runPass(engine, { mode: 'pass', signals: neverAborted }));
  });
  if (renewed !== wishes) throw new Error(`${renewed} of ${wishes} were renewed`);
  return { ours, bare, sequential: loop };
}

function figuresOf(measured: readonly Round[]): readonly Figure[] {
  const middle = (what: (round: Round) => number) => median(measured.map(what));
  const perWish = 1000 / wishes;
  return [
    {
      what: 'time, compared to the ideal',
      measured: middle(({ ours }) => ours.took) / ideal,
      unit: '×',
      must: { be: 'at most', value: 1.5 },
    },
    {
      what: 'faster than one after the other',
      measured: middle(({ ours, sequential }) => sequential / ours.took),
      unit: '×',
      must: { be: 'at least', value: 100 },
    },
    { what: 'the bare loop, compared to the ideal', measured: middle(({ bare }) => bare.took) / ideal, unit: '×' },
    { what: 'time, compared to the bare loop', measured: middle(({ ours, bare }) => ours.took / bare.took), unit: '×' },
    { what: 'main thread, for one renewal', measured: middle(({ ours }) => ours.mainThread) * perWish, unit: 'ms' },
    {
      what: 'main thread, for one turn of the bare loop',
      measured: middle(({ bare }) => bare.mainThread) * perWish,
      unit: 'ms',
    },
    { what: `${wishes} renewals`, measured: middle(({ ours }) => ours.took), unit: 's' },
    { what: `${wishes} turns of the bare loop`, measured: middle(({ bare }) => bare.took), unit: 's' },
    { what: 'ideal', measured: ideal, unit: 's' },
    { what: 'one after the other', measured: middle((round) => round.sequential), unit: 's' },
  ];
}

function configFor(origins: readonly string[]): string {
  const account = (origin: string, index: number) =>
    `  robot-${index}: { grant: client_credentials, issuer: "${origin}", client_id: robot, client_secret: { file: DIR/secret } }`;
  const token = (_: unknown, index: number) =>
    `  wish-${index}: { account: robot-${index % issuers}, scope: [storage.read:/], deliver: [{ file: DIR/targets/${index} }] }`;
  return `
accounts:
${origins.map(account).join('\n')}
tokens:
${Array.from({ length: wishes }, token).join('\n')}
`;
}

/** What a script does: ask, write the file, next. In seconds. */
async function oneAfterTheOther(origins: readonly string[], dir: string): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const { took } = await effortOf(async () => {
    for (let wish = 0; wish < sequential; wish++) {
      const answer = await post(agent, `${origins[wish % issuers]}/token`);
      await writeFile(join(dir, `loop-${wish}`), `${tokenIn(answer)}\n`, { mode: 0o600 });
    }
  });
  agent.destroy();
  return took;
}
