import { setTimeout as sleep } from 'node:timers/promises';
import { runPass } from '../src/renew/pass.ts';
import { robot, startIssuer } from '../test/peers/start-issuer.ts';
import { directoryOn } from './directory.ts';
import { engineIn, neverAborted, writeConfig } from './engine-in.ts';
import { type Figure, median, type Section } from './figure.ts';
import { plainLoad, type TokenRequest } from './load-generator.ts';

const wishes = 2_000;
const rounds = 3;
const loadSeconds = 2;
/** In seconds; after two thirds of it every wish is due. */
const life = 5;
const scope = 'storage.read:/';
const audience = 'https://storage.example';

export const throughput: Section = {
  name: 'throughput',
  title: 'Renewing as fast as the issuer answers',
  how: `Renews ${wishes} due client-credentials wishes, each with a file as its target, against one issuer (oidc-provider, a
process of its own, plain http on loopback), 16 requests at a time. In turns with it, autocannon (16 connections, a process of
its own) posts the same request to the same token endpoint for ${loadSeconds} s. Medians of ${rounds} rounds.`,
  async run(tell) {
    await using issuer = await startIssuer({ accessTokenLife: life });
    const request: TokenRequest = {
      url: `${issuer.issuer}/token`,
      clientId: robot.client_id,
      secret: robot.client_secret ?? '',
      form: { grant_type: 'client_credentials', scope, audience },
    };
    const inMemory = await compare(issuer.issuer, request, 'memory', tell);
    const onDisk = await compare(issuer.issuer, request, 'disk', tell);
    return [
      ...figures('state and targets in memory', inMemory, { be: 'at least', value: 30 }),
      ...figures('state and targets on disk', onDisk),
    ];
  },
};

interface Compared {
  readonly renewed: readonly number[];
  readonly loaded: readonly number[];
}

function figures(where: string, { renewed, loaded }: Compared, must?: Figure['must']): readonly Figure[] {
  const share = median(renewed.map((rate, round) => (100 * rate) / (loaded[round] ?? Number.NaN)));
  return [
    { what: `renewals, as a share of plain requests; ${where}`, measured: share, unit: '%', ...(must && { must }) },
    { what: `renewals; ${where}`, measured: median(renewed), unit: '/s' },
    { what: `plain requests to the same endpoint, meanwhile`, measured: median(loaded), unit: '/s' },
  ];
}

async function compare(
  issuer: string,
  request: TokenRequest,
  medium: 'memory' | 'disk',
  tell: (progress: string) => void,
): Promise<Compared> {
  await using directory = await directoryOn(medium);
  await writeConfig(directory.path, configFor(issuer), robot.client_secret ?? '');
  const rates = { renewed: [] as number[], loaded: [] as number[] };
  await using opened = await engineIn(directory.path);
  for (let round = 0; round <= rounds; round++) {
    const loaded = await plainLoad(request, loadSeconds);
    const begun = performance.now();
    const report = await runPass(opened.engine, { mode: 'pass', signals: neverAborted });
    const took = performance.now() - begun;
    if (report.renewed !== wishes) throw new Error(`${report.renewed} of ${wishes} were renewed: ${report.faults[0]}`);
    const renewed = (1000 * wishes) / took;
    tell(`${medium}: ${Math.round(renewed)}/s of ${Math.round(loaded)}/s`);
    await sleep((1000 * life * 2) / 3 - 1000 * loadSeconds);
    // The first round warms both sides up.
    if (round > 0) {
      rates.renewed.push(renewed);
      rates.loaded.push(loaded);
    }
  }
  return rates;
}

function configFor(issuer: string): string {
  const token = (_: unknown, index: number) =>
    `  wish-${index}: { account: robot, scope: [${scope}], audience: "${audience}", deliver: [{ file: DIR/targets/${index} }] }`;
  return `
limits: { concurrency: 16, per_second: 100000 }
accounts:
  robot: { grant: client_credentials, issuer: "${issuer}", client_id: ${robot.client_id}, client_secret: { file: DIR/secret } }
tokens:
${Array.from({ length: wishes }, token).join('\n')}
`;
}
