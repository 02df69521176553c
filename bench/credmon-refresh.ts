import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { person, startIssuer } from '../test/peers/start-issuer.ts';
import { type AccessPoint, accessPoint, credmonBundle, putTop } from './credmon-place.ts';
import { type Figure, median, type Section } from './figure.ts';
import { fileBeside } from './programs.ts';

const users = 1_000;
const rounds = 3;
const connections = 16;
const loadSeconds = 3;
const slow = 50;
const slowConnections = 128;
/** Of a sequential credmon so many are measured. */
const sequential = 50;

export const credmonRefresh: Section = {
  name: 'credmon-refresh',
  title: 'A credmon with many OAuth 2.0 refreshes due',
  how: `\`tokeep credmon\` (bundled) starts with ${users} logins in \`.top\` files, all due, against one issuer (oidc-provider, a process of
its own, plain http on loopback) that rotates refresh tokens: from CREDMON_COMPLETE until the last \`.use\` is there, every successor synced
into its \`.top\` before its answer is judged. ${connections} requests at a time. In turns with it a plain client (node:http, ${connections}
connections, a process of its own) refreshes logins of the same issuer for ${loadSeconds} s and saves nothing. Then the issuer takes
${slow} ms for every answer: ${slowConnections} requests at a time, against one after the other (${sequential} measured). Medians of
${rounds} rounds.`,
  async run(tell) {
    await using released = await credmonBundle();
    const memory = await compare(released.program, 'memory', tell);
    const disk = await compare(released.program, 'disk', tell);
    const late = await whenSlow(released.program, tell);
    return [
      ...figuresOf('in memory', memory, { be: 'at least', value: 10 }),
      ...figuresOf('on disk', disk),
      {
        what: `faster than one after the other, answers after ${slow} ms`,
        measured: late.sequential / late.ours,
        unit: '×',
        must: { be: 'at least', value: 20 },
      },
      { what: `${users} refreshes, answers after ${slow} ms`, measured: late.ours, unit: 's' },
    ];
  },
};

interface Compared {
  /** Refreshes in a second, each round. */
  readonly ours: readonly number[];
  readonly plain: readonly number[];
}

function figuresOf(where: string, { ours, plain }: Compared, must?: Figure['must']): readonly Figure[] {
  const share = median(ours.map((rate, round) => (100 * rate) / (plain[round] ?? Number.NaN)));
  return [
    { what: `refreshes, as a share of a plain client's; ${where}`, measured: share, unit: '%', ...(must && { must }) },
    { what: `refreshes with every successor durable; ${where}`, measured: median(ours), unit: '/s' },
    { what: 'refreshes of the plain client, meanwhile', measured: median(plain), unit: '/s' },
  ];
}

async function compare(
  program: string,
  medium: 'memory' | 'disk',
  tell: (progress: string) => void,
): Promise<Compared> {
  const ours: number[] = [];
  const plain: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await using issuer = await startIssuer(withLogins(users + connections));
    plain.push(await plainRate(issuer.issuer, issuer.refreshTokens.slice(users)));
    ours.push(users / (await refreshAll(program, medium, issuer, connections)));
    tell(`${medium}: ${ours.at(-1)?.toFixed(0)}/s, plain client ${plain.at(-1)?.toFixed(0)}/s`);
  }
  return { ours, plain };
}

async function whenSlow(program: string, tell: (progress: string) => void) {
  await using issuer = await startIssuer({ ...withLogins(users + 1), tokenDelay: slow });
  const one = await plainRate(issuer.issuer, issuer.refreshTokens.slice(users), 1);
  const ours = await refreshAll(program, 'memory', issuer, slowConnections);
  tell(`answers after ${slow} ms: ${ours.toFixed(2)} s, one after the other ${(users / one).toFixed(0)} s`);
  return { ours, sequential: users / one };
}

const withLogins = (count: number) => ({ loggedIn: { clientId: person.client_id, count } });

/** Seconds from the first request on to the last token in its place. */
async function refreshAll(
  program: string,
  medium: 'memory' | 'disk',
  issuer: { readonly issuer: string; readonly refreshTokens: readonly string[] },
  atATime: number,
): Promise<number> {
  const limits = `limits: { concurrency: ${atATime}, per_second: 10000 }\n`;
  await using point = await accessPoint(medium, (path) => knobs(path, issuer.issuer), limits);
  await writeFile(join(point.path, 'secret'), `${person.client_secret}\n`, { mode: 0o600 });
  for (let nth = 0; nth < users; nth++) {
    const top = JSON.stringify({ refresh_token: issuer.refreshTokens[nth], scopes: 'storage.read:/' });
    await putTop(point.credentials, `user${nth}`, 'mytok', top);
  }
  await point.start(program);
  const begun = performance.now();
  await allThere(point);
  return (performance.now() - begun) / 1000;
}

const knobs = (path: string, issuer: string) => ({
  MYTOK_CLIENT_ID: person.client_id,
  MYTOK_CLIENT_SECRET_FILE: join(path, 'secret'),
  MYTOK_TOKEN_URL: `${issuer}/token`,
});

async function allThere({ credentials }: AccessPoint): Promise<void> {
  for (let nth = 0; nth < users; nth++) {
    while (!existsSync(join(credentials, `user${nth}`, 'mytok.use'))) await sleep(5);
  }
}

/** What a client gets that keeps nothing, in refreshes a second. */
async function plainRate(issuer: string, logins: readonly string[], atATime = connections): Promise<number> {
  const seconds = atATime === 1 ? (sequential * slow) / 1000 : loadSeconds;
  const { client_id, client_secret = '' } = person;
  const args = [`${issuer}/token`, client_id, client_secret, String(seconds), String(atATime)];
  const child = spawn(process.execPath, [fileBeside('refresh-load.ts'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(logins.join('\n'));
  return Number(await text(child.stdout));
}
