import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { KeyPair } from '../src/mint/key-pair.ts';
import { after, hours, type Millis, millis } from '../src/token/time.ts';
import { KeyCache } from '../src/verify/key-cache.ts';
import { strictTrust } from '../src/verify/trust.ts';
import { Verifier } from '../src/verify/verifier.ts';
import type { Clock } from '../src/world/clock.ts';
import { realWorld } from '../src/world/real-world.ts';
import { directoryOn } from './directory.ts';
import { median, type Section } from './figure.ts';
import { fileBeside, startProgram } from './programs.ts';
import { keySetOf, sampleAudience, samplePair, sampleToken } from './sample-token.ts';
import type { KeyPlaceTold } from './silent-key-place.ts';

const rounds = 5;
const verifications = 5_000;
const tokens = 64;
/** After this long keys are due, whatever the chance that spreads the looks; as often as there are rounds it is less than the two days that old keys serve. */
const untilDue = hours(7);

export const silentIssuer: Section = {
  name: 'silent-issuer',
  title: 'Verifying while an issuer is silent',
  how: `\`Verifier.verify\`, ES256, keys fetched from an issuer and due for refresh, each verification in a turn of the event loop of its own. One
issuer answers; the other, in turns with it, takes connections and stays silent (both processes of their own). ${verifications}
verifications a round, medians of ${rounds} rounds. Before, as many with nobody looking after the keys in the background.`,
  async run(tell) {
    await using directory = await directoryOn('memory');
    const pair = samplePair('ES256');
    const keySetFile = join(directory.path, 'jwks.json');
    await writeFile(keySetFile, keySetOf(pair));
    await using answering = await startProgram([fileBeside('silent-key-place.ts'), keySetFile]);
    await using silent = await startProgram([fileBeside('silent-key-place.ts'), keySetFile]);
    const { issuer, control } = JSON.parse(silent.line) as KeyPlaceTold;
    const clock = clockAhead();
    await using normal = await site((JSON.parse(answering.line) as KeyPlaceTold).issuer, pair, clock);
    await using hanging = await site(issuer, pair, clock);
    const came = async (method = 'GET') => Number(await (await fetch(control, { method })).text());
    await came('POST');
    clock.skip(untilDue);
    hanging.verifyOnly(verifications);
    const onTheWay = await came();
    const slowest: { readonly normal: number; readonly hanging: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      if (round > 0) clock.skip(untilDue);
      const one = { normal: await normal.slowestOf(verifications), hanging: await hanging.slowestOf(verifications) };
      tell(`p99 ${one.hanging.toFixed(3)} ms, with an issuer that answers ${one.normal.toFixed(3)} ms`);
      slowest.push(one);
    }
    return [
      {
        what: 'p99 while the issuer is silent, compared to one that answers',
        measured: median(slowest.map((one) => one.hanging / one.normal)),
        unit: '×',
        must: { be: 'at most', value: 2 },
      },
      {
        what: `connections to it, for ${verifications} verifications while nobody looks after the keys`,
        measured: onTheWay,
        unit: '',
        must: { be: 'at most', value: 0 },
      },
      { what: 'p99 while the issuer is silent', measured: median(slowest.map((one) => one.hanging)), unit: 'ms' },
      { what: 'p99 with an issuer that answers', measured: median(slowest.map((one) => one.normal)), unit: 'ms' },
      {
        what: `connections to it in the background, during ${rounds * verifications} verifications`,
        measured: await came(),
        unit: '',
      },
    ];
  },
};

interface ClockAhead extends Clock {
  skip(length: Millis): void;
}

/** The real clock, some hours ahead. */
function clockAhead(): ClockAhead {
  const { clock } = realWorld();
  let ahead = millis(0);
  return {
    now: () => after(clock.now(), ahead),
    monotonic: () => after(clock.monotonic(), ahead),
    sleep: (length, signal) => clock.sleep(length, signal),
    skip(length) {
      ahead = millis(ahead + length);
    },
  };
}

interface Site extends AsyncDisposable {
  /** By keys at hand, with nobody looking after them. Throws if a token is not found good. */
  verifyOnly(count: number): void;
  /** Of so many verifications the 99th percentile, in milliseconds; keys are refreshed in the background. */
  slowestOf(count: number): Promise<number>;
}

/** A site that trusts one issuer, and has fetched its keys. */
async function site(issuer: string, pair: KeyPair, clock: Clock): Promise<Site> {
  const world = { ...realWorld(), clock };
  const keys = new KeyCache({ world });
  const trust = { ...strictTrust, issuer, keys: { kind: 'discovered' }, audiences: [sampleAudience] } as const;
  const verifier = new Verifier({ trusted: [trust], keys, clock });
  await keys.ready();
  const fresh = () => Array.from({ length: tokens }, () => sampleToken(issuer, pair, clock.now()));
  const stop = new AbortController();
  let background: Promise<void> | undefined;
  return {
    verifyOnly(count) {
      const some = fresh();
      for (let n = 0; n < count; n++) {
        if (verifier.verifyNow(some[n % tokens] ?? '').kind !== 'valid') throw new Error('a token was not found good');
      }
    },
    async slowestOf(count) {
      const some = fresh();
      background ??= keys.start(stop.signal);
      const times: number[] = [];
      for (let n = 0; n < count; n++) {
        const begun = performance.now();
        await turn();
        const { kind } = await verifier.verify(some[n % tokens] ?? '');
        if (kind !== 'valid') throw new Error('a token was not found good');
        times.push(performance.now() - begun);
      }
      return times.toSorted((a, b) => a - b)[Math.floor(count * 0.99)] ?? Number.NaN;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await background;
      await world.http.close();
    },
  };
}
