import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type AccessPoint, accessPoint, credmonBundle, putTop } from './credmon-place.ts';
import { type Figure, median, type Section } from './figure.ts';
import { settled } from './idle.ts';
import { usage } from './process-usage.ts';

const users = 10_000;
const services = ['scitokens', 'wlcg'] as const;
const rounds = 3;
const signals = 300;

/** Lives of a day: nothing falls due while it is looked at. */
const knobs = (path: string) => ({
  LOCAL_CREDMON_PROVIDER_NAMES: services.join(' '),
  LOCAL_CREDMON_PRIVATE_KEY: join(path, 'key.pem'),
  LOCAL_CREDMON_PUBLIC_KEY: join(path, 'key.pub'),
  LOCAL_CREDMON_ISSUER: 'https://ap.example',
  LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://ce.example',
  LOCAL_CREDMON_TOKEN_LIFETIME: '86400',
});

export const credmonMany: Section = {
  name: 'credmon',
  title: 'A credmon with many users',
  how: `\`tokeep credmon\` (bundled) with ${users} users of ${services.length} tokens each of its own issuer, in memory. A full pass with
nothing due is a start, from the exec to CREDMON_COMPLETE: Node, HTCondor's configuration, the state, and every credential read and judged;
medians of ${rounds} starts; memory is the most of the process that keeps the credentials, and of its network process. Then ${signals} users
come one after the other as condor_credd has them come (\`.top\` renamed into a new directory, then SIGHUP): the time from the signal until
\`.use\` is there; when its first looks at all of them are over (two seconds without work), and before.`,
  async run(tell) {
    await using released = await credmonBundle();
    await using point = await accessPoint('memory', knobs);
    for (let nth = 0; nth < users; nth++) {
      for (const service of services) await putTop(point.credentials, `user${nth}`, service, `user${nth}`);
    }
    const first = await fill(point, released.program);
    tell(`${users * services.length} tokens made in ${first.toFixed(1)} s`);
    const starts: Start[] = [];
    for (let round = 0; round < rounds; round++) {
      if (round > 0) await point.stop();
      starts.push(await measureStart(point, released.program));
      tell(`a start: ${starts.at(-1)?.took.toFixed(2)} s`);
    }
    const busy = await answerTimes(point, 'early');
    await settled(point.pid);
    const waits = await answerTimes(point, 'late');
    return [
      ...figuresOf(starts, waits),
      {
        what: 'the same while it begins, which is the first seconds, 99 of 100',
        measured: share(busy, 0.99),
        unit: 'ms',
      },
      { what: 'making all tokens at the first start', measured: first, unit: 's' },
    ];
  },
};

/** The first start makes every token. */
async function fill(point: AccessPoint, program: string): Promise<number> {
  const begun = performance.now();
  await point.stop();
  await point.start(program);
  const last = services.map((service) => [`user${users - 1}`, service] as const);
  for (const [user, service] of last) await untilUse(join(point.credentials, user), `${service}.use`, () => {});
  const took = (performance.now() - begun) / 1000;
  await point.stop();
  return took;
}

interface Start {
  readonly took: number;
  readonly peak: number;
  readonly network: number;
}

async function measureStart(point: AccessPoint, program: string): Promise<Start> {
  const took = await point.start(program);
  const [own = 0, network = 0] = await Promise.all((await point.pids()).map(async (pid) => (await usage(pid)).peak));
  return { took, peak: own, network };
}

/** In milliseconds. */
async function answerTimes(point: AccessPoint, name: string): Promise<readonly number[]> {
  const waits: number[] = [];
  for (let nth = 0; nth < signals; nth++) {
    const user = `${name}${nth}`;
    const place = join(point.credentials, user);
    await mkdir(place);
    const begun = await untilUse(place, 'scitokens.use', async () => {
      await putTop(point.credentials, user, 'scitokens', user);
      process.kill(point.pid, 'SIGHUP');
    });
    waits.push(begun);
  }
  return waits.sort((a, b) => a - b);
}

/** Resolves with the milliseconds since `act` was done. */
async function untilUse(place: string, name: string, act: () => Promise<void> | void): Promise<number> {
  const watcher = watch(place);
  try {
    await act();
    const begun = performance.now();
    while (!existsSync(join(place, name))) await once(watcher, 'change');
    return performance.now() - begun;
  } finally {
    watcher.close();
  }
}

function figuresOf(starts: readonly Start[], waits: readonly number[]): readonly Figure[] {
  const middle = (what: (start: Start) => number) => median(starts.map(what));
  return [
    {
      what: 'a full pass with nothing due',
      measured: middle(({ took }) => took),
      unit: 's',
      must: { be: 'at most', value: 2 },
    },
    {
      what: 'most memory',
      measured: middle(({ peak }) => peak / 1e6),
      unit: 'MB',
      must: { be: 'at most', value: 250 },
    },
    { what: 'most memory of the network process', measured: middle(({ network }) => network / 1e6), unit: 'MB' },
    {
      what: 'from SIGHUP to a new token, 99 of 100',
      measured: share(waits, 0.99),
      unit: 'ms',
      must: { be: 'at most', value: 50 },
    },
    { what: 'from SIGHUP to a new token, the middle one', measured: share(waits, 0.5), unit: 'ms' },
  ];
}

const share = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
