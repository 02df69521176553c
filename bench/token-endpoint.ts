import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { ClientAdmin } from '../src/issue/client-admin.ts';
import { realWorld } from '../src/world/real-world.ts';
import { robot, startIssuer } from '../test/peers/start-issuer.ts';
import { bundle } from './bundle.ts';
import { directoryOn } from './directory.ts';
import { placesIn } from './engine-in.ts';
import { median, type Section } from './figure.ts';
import { plainLoad, type TokenRequest } from './load-generator.ts';
import { issuerIn, issuerUrl, makeIssuer } from './own-issuer.ts';
import { usage } from './process-usage.ts';
import { node } from './programs.ts';

const rounds = 3;
const seconds = 2;
const form = { grant_type: 'client_credentials', scope: 'storage.read:/', audience: 'https://storage.example.org' };

export const tokenEndpoint: Section = {
  name: 'token-endpoint',
  title: 'The token endpoint of an issuer',
  how: `\`tokeep issuer serve\` (bundled, one process, plain http on loopback, SQLite) answers client_credentials with ES256 tokens, each with its
line synced to the audit log first; limits of requests far away. In turns with it oidc-provider, which makes the same tokens and keeps
nothing on disk (its own process, store in memory). autocannon, 16 connections, a process of its own, ${seconds} s each; medians of
${rounds} rounds after one to warm up.`,
  async run(tell) {
    await using released = await bundle();
    await using peer = await startIssuer({ scopes: [form.scope], audiences: [form.audience] });
    await using inMemory = await serverOn('memory', released.program);
    await using onDisk = await serverOn('disk', released.program);
    const theirs: TokenRequest = {
      url: `${peer.issuer}/token`,
      clientId: robot.client_id,
      secret: robot.client_secret ?? '',
      form,
    };
    const measured: { readonly memory: Load; readonly disk: Load; readonly peer: Load }[] = [];
    for (let round = 0; round <= rounds; round++) {
      const one = {
        peer: await load({ request: theirs, pid: peer.pid }),
        memory: await load(inMemory),
        disk: await load(onDisk),
      };
      const [memory, disk, other] = [one.memory, one.disk, one.peer].map(({ rate }) => `${Math.round(rate)}/s`);
      tell(`${memory} in memory, ${disk} on disk, oidc-provider ${other}`);
      if (round > 0) measured.push(one);
    }
    const middle = (what: (round: (typeof measured)[number]) => number) => median(measured.map(what));
    return [
      {
        what: 'compared to oidc-provider; database on disk',
        measured: middle(({ disk, peer }) => disk.rate / peer.rate),
        unit: '×',
        must: { be: 'at least', value: 1 },
      },
      {
        what: 'compared to oidc-provider; database in memory',
        measured: middle(({ memory, peer }) => memory.rate / peer.rate),
        unit: '×',
        must: { be: 'at least', value: 1 },
      },
      { what: 'tokens; database on disk', measured: middle(({ disk }) => disk.rate), unit: '/s' },
      { what: 'tokens; database in memory', measured: middle(({ memory }) => memory.rate), unit: '/s' },
      { what: 'tokens of oidc-provider', measured: middle(({ peer }) => peer.rate), unit: '/s' },
      { what: 'processor time for one, on disk', measured: middle(({ disk }) => disk.each), unit: 'ms' },
      { what: 'processor time for one, in memory', measured: middle(({ memory }) => memory.each), unit: 'ms' },
      { what: 'processor time for one of oidc-provider', measured: middle(({ peer }) => peer.each), unit: 'ms' },
    ];
  },
};

interface Server {
  readonly request: TokenRequest;
  readonly pid: number;
}

interface Load {
  /** Tokens per second. */
  readonly rate: number;
  /** Processor time of the server for one, all threads, in milliseconds. */
  readonly each: number;
}

async function load({ request, pid }: Server): Promise<Load> {
  const before = await usage(pid);
  const rate = await plainLoad(request, seconds);
  const { processor } = await usage(pid);
  return { rate, each: (1000 * (processor - before.processor)) / (rate * seconds) };
}

/** The server as released, with an issuer and a client made for it. */
async function serverOn(medium: 'memory' | 'disk', program: string): Promise<Server & AsyncDisposable> {
  const directory = await directoryOn(medium);
  const { clientId, secret } = await makeIssuerWithClient(directory.path);
  const often = '1000000';
  const child = node(
    [
      ...[program, 'issuer', 'serve', '--dir', issuerIn(directory.path), '--listen', '127.0.0.1:0'],
      ...['--client-rate', often, '--address-rate', often],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...placesIn(directory.path).env } },
  );
  if (child.stderr === null || child.pid === undefined) throw new Error('no server');
  const port = await portIn(createInterface(child.stderr));
  return {
    pid: child.pid,
    request: { url: `http://127.0.0.1:${port}${new URL(issuerUrl).pathname}/token`, clientId, secret, form },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function makeIssuerWithClient(dir: string): Promise<{ readonly clientId: string; readonly secret: string }> {
  const issuer = await makeIssuer(dir);
  try {
    const clients = await ClientAdmin.open({ world: realWorld(), issuer, by: 'admin bench' });
    const { client, secret } = await clients.add({
      id: 'client-bench',
      name: 'bench',
      grants: ['client_credentials'],
      scopes: [form.scope],
      audiences: [form.audience],
      everyone: false,
      serves: [],
    });
    return { clientId: client.id, secret: secret?.reveal() ?? '' };
  } finally {
    await issuer.close();
  }
}

/** The server says in its log where it listens. */
async function portIn(lines: ReturnType<typeof createInterface>): Promise<number> {
  for await (const line of lines) {
    const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error('the server ended before it listened');
}
