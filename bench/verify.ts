import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SigningAlgorithm } from '../src/mint/signing-key.ts';
import { directoryOn } from './directory.ts';
import { best, type Figure, type Section } from './figure.ts';
import { type LibScitokens, libScitokens } from './libscitokens.ts';
import { opensslSpeed } from './openssl-speed.ts';
import { fileBeside, outputOf } from './programs.ts';
import { keySetOf, samplePair, sampleToken } from './sample-token.ts';

const rounds = 7;
const seconds = 1;
const tokens = 64;
const issuer = 'https://tokens.example.org/osg';

interface Goal {
  readonly algorithm: SigningAlgorithm;
  readonly ofOpenssl: number;
  readonly timesScitokens: number;
}

const goals: readonly Goal[] = [
  { algorithm: 'ES256', ofOpenssl: 0.8, timesScitokens: 4 },
  { algorithm: 'RS256', ofOpenssl: 0.6, timesScitokens: 8 },
];

export const verify: Section = {
  name: 'verify',
  title: 'Verifying tokens',
  how: `\`Verifier.verifyNow\` on ${tokens} WLCG tokens of one issuer in turn: strict reading, all claims, audience, scopes, signature; keys at
hand, one thread. In turns with it, \`openssl speed\` of this machine, which checks bare signatures with nothing around them, and the
\`scitoken_deserialize\` of libscitokens on the same tokens, with the keys in its cache. Processes of their own, ${seconds} s each; per second of
processor time; the best of ${rounds} rounds each.`,
  async run(tell) {
    const figures: Figure[] = [];
    for (const goal of goals) figures.push(...(await measure(goal, tell)));
    return figures;
  },
};

interface Round {
  readonly ours: number;
  readonly openssl: number;
  /** Absent where there is no libscitokens. */
  readonly scitokens?: number;
}

async function measure(goal: Goal, tell: (progress: string) => void): Promise<readonly Figure[]> {
  const { algorithm } = goal;
  await using directory = await directoryOn('memory');
  const pair = samplePair(algorithm);
  const keySet = keySetOf(pair);
  const [keySetFile, tokensFile] = [join(directory.path, 'jwks.json'), join(directory.path, 'tokens')];
  await writeFile(keySetFile, keySet);
  await writeFile(tokensFile, `${Array.from({ length: tokens }, () => sampleToken(issuer, pair)).join('\n')}\n`);
  const library = await libScitokens(directory.path, { issuer, keySet });
  const ours = [fileBeside('verify-program.ts'), issuer, keySetFile, tokensFile, String(seconds)];
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const one: Round = {
      ours: Number(await outputOf(ours)),
      openssl: (await opensslSpeed(algorithm, seconds)).verify,
      ...(typeof library === 'string' ? {} : { scitokens: await library.rate(tokensFile, seconds) }),
    };
    tell(
      `${algorithm}: ${Math.round(one.ours)}/s of ${Math.round(one.openssl)}/s, libscitokens ${Math.round(one.scitokens ?? Number.NaN)}/s`,
    );
    measured.push(one);
  }
  return figuresOf(goal, measured, library);
}

function figuresOf(goal: Goal, measured: readonly Round[], library: LibScitokens | string): readonly Figure[] {
  const { algorithm } = goal;
  const rate = (what: (round: Round) => number) => best(measured.map(what));
  const [ours, openssl] = [rate((round) => round.ours), rate((round) => round.openssl)];
  const comparison: Figure =
    typeof library === 'string'
      ? { what: `${algorithm}, compared to libscitokens: ${library}`, measured: 'skipped', unit: '×' }
      : {
          what: `${algorithm}, compared to libscitokens ${library.release}`,
          measured: ours / rate(({ scitokens }) => scitokens ?? Number.NaN),
          unit: '×',
          must: { be: 'at least', value: goal.timesScitokens },
        };
  return [
    {
      what: `${algorithm}, compared to bare signatures by openssl`,
      measured: ours / openssl,
      unit: '×',
      must: { be: 'at least', value: goal.ofOpenssl },
    },
    comparison,
    { what: `${algorithm}, whole tokens`, measured: ours, unit: '/s' },
    { what: `${algorithm}, bare signatures by openssl`, measured: openssl, unit: '/s' },
  ];
}
