import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runPass } from '../src/renew/pass.ts';
import { directoryOn } from './directory.ts';
import { engineIn, neverAborted, placesIn, writeConfig } from './engine-in.ts';
import { median, type Section } from './figure.ts';
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
is what those limits allow: ${ideal} s. In turns with it, the same wishes are asked for and written one after the other, the first
${sequential} of them, and their time is multiplied by ${wishes / sequential}. Medians of ${rounds} rounds.`,
  async run(tell) {
    await using peers = await startProgram([fileBeside('slow-issuers.ts'), ...[issuers, delay, life].map(String)]);
    const origins = JSON.parse(peers.line) as readonly string[];
    await using directory = await directoryOn('memory');
    await writeConfig(directory.path, configFor(origins), 'secret');
    await using opened = await engineIn(directory.path);
    const times = { ours: [] as number[], sequential: [] as number[] };
    for (let round = 0; round <= rounds; round++) {
      const loop = (await oneAfterTheOther(origins, directory.path)) * (wishes / sequential);
      const begun = performance.now();
      const { renewed } = await runPass(opened.engine, { mode: 'pass', signals: neverAborted });
      const took = (performance.now() - begun) / 1000;
      if (renewed !== wishes) throw new Error(`${renewed} of ${wishes} were renewed`);
      tell(`${took.toFixed(2)} s, one after the other ${loop.toFixed(0)} s`);
      // The first round learns the metadata.
      if (round > 0) {
        times.ours.push(took);
        times.sequential.push(loop);
      }
      await sleep(1000 * life);
    }
    const faster = median(times.sequential.map((loop, round) => loop / (times.ours[round] ?? Number.NaN)));
    const ours = median(times.ours);
    return [
      { what: 'time, compared to the ideal', measured: ours / ideal, unit: '×', must: { be: 'at most', value: 1.5 } },
      { what: 'faster than one after the other', measured: faster, unit: '×', must: { be: 'at least', value: 100 } },
      { what: `${wishes} renewals`, measured: ours, unit: 's' },
      { what: 'ideal', measured: ideal, unit: 's' },
      { what: 'one after the other', measured: median(times.sequential), unit: 's' },
    ];
  },
};

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
  const begun = performance.now();
  for (let wish = 0; wish < sequential; wish++) {
    const outgoing = request(`${origins[wish % issuers]}/token`, {
      method: 'POST',
      agent,
      headers: { authorization: `Basic ${btoa('robot:secret')}`, 'content-type': 'application/x-www-form-urlencoded' },
    });
    outgoing.end('grant_type=client_credentials&scope=storage.read%3A%2F');
    const [incoming] = await once(outgoing, 'response');
    const { access_token } = JSON.parse((await incoming.toArray()).join('')) as { access_token: string };
    await writeFile(join(placesIn(dir).targets, `loop-${wish}`), `${access_token}\n`, { mode: 0o600 });
  }
  agent.destroy();
  return (performance.now() - begun) / 1000;
}
