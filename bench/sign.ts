import type { SigningAlgorithm } from '../src/mint/signing-key.ts';
import { directoryOn } from './directory.ts';
import { best, type Figure, median, type Section } from './figure.ts';
import { opensslSpeed } from './openssl-speed.ts';
import { makeIssuer } from './own-issuer.ts';
import { fileBeside, outputOf } from './programs.ts';

const rounds = 7;
const seconds = 1;
const atATime = 16;

export const sign: Section = {
  name: 'sign',
  title: 'Signing tokens',
  how: `Claims of a WLCG token made and signed, one thread. In turns with it, \`openssl speed\` of this machine, which makes bare
signatures with nothing around them. Processes of their own, ${seconds} s each; per second of processor time; the best of ${rounds} rounds each.
\`issuer.mint\` is all of it: policy, signature, and a line of the audit log that is on disk before the token is handed out; ${atATime} at
a time, whose lines share a commit; per second of wall time, medians.`,
  async run(tell) {
    return [
      ...(await compare('ES256', { be: 'at least', value: 0.65 }, tell)),
      ...(await compare('RS256', undefined, tell)),
      await minting('disk', tell),
      await minting('memory', tell),
    ];
  },
};

async function compare(
  algorithm: SigningAlgorithm,
  must: Figure['must'],
  tell: (progress: string) => void,
): Promise<readonly Figure[]> {
  const rates: { readonly ours: number; readonly openssl: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const ours = Number(await outputOf([fileBeside('sign-program.ts'), algorithm, String(seconds)]));
    const { sign: openssl } = await opensslSpeed(algorithm, seconds);
    tell(`${algorithm}: ${Math.round(ours)}/s of ${Math.round(openssl)}/s`);
    rates.push({ ours, openssl });
  }
  const [ours, openssl] = [best(rates.map((one) => one.ours)), best(rates.map((one) => one.openssl))];
  return [
    {
      what: `${algorithm}, compared to bare signatures by openssl`,
      measured: ours / openssl,
      unit: '×',
      ...(must && { must }),
    },
    { what: `${algorithm}, whole tokens`, measured: ours, unit: '/s' },
    {
      what: `${algorithm}, bare signatures by openssl`,
      measured: openssl,
      unit: '/s',
    },
  ];
}

async function minting(medium: 'disk' | 'memory', tell: (progress: string) => void): Promise<Figure> {
  await using directory = await directoryOn(medium);
  await (await makeIssuer(directory.path)).close();
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const args = [directory.path, String(atATime), String(seconds)];
    rates.push(Number(await outputOf([fileBeside('mint-program.ts'), ...args])));
  }
  tell(`issuer.mint: ${rates.map(Math.round).join(', ')}/s`);
  const where = medium === 'disk' ? 'on disk' : 'in memory';
  return { what: `ES256, issuer.mint; audit log ${where}`, measured: median(rates), unit: '/s' };
}
