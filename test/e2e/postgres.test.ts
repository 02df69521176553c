import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { type HostileIssuer, hostileIssuer, type Step, token } from '../peers/hostile-issuer.ts';
import { type RunningPostgres, startPostgres } from '../peers/start-postgres.ts';
import { type House, house, type Running, until } from './house.ts';

let postgres: RunningPostgres;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres.stop());

const names = ['a', 'b', 'c', 'd'] as const;
type Name = (typeof names)[number];
/** Seconds; renewed after half of it. */
const life = 20;

/** Gives a new token each time, and knows for whom. */
function counting(given: Map<string, string[]>): Step {
  return (response, request) => {
    const audience = request.form.get('audience') ?? '';
    const before = given.get(audience) ?? [];
    const text = `token-${audience}-${before.length + 1}`;
    given.set(audience, [...before, text]);
    token({ access_token: text, expires_in: life })(response, request);
  };
}

interface Node {
  readonly name: string;
  start(): Running;
  holds(wish: Name): Promise<string>;
}

/** One configuration for all, as it would be rolled out; places differ by node. */
async function nodeOf(at: House, name: string, issuer: HostileIssuer, url: string): Promise<Node> {
  for (const folder of [`${name}/out`, `${name}/etc`]) await mkdir(at.path(folder), { recursive: true, mode: 0o700 });
  await at.file('database-url', url);
  const wishes = names.map(
    (wish) => `  ${wish}: { account: r, audience: ${wish}, deliver: [{ file: ${at.path(`${name}/out/${wish}`)} }] }`,
  );
  await at.file(
    `${name}/tokeep.yaml`,
    `store: { kind: postgres, url: { file: ${at.path('database-url')} } }
accounts:
  r:
    grant: client_credentials
    issuer: ${issuer.issuer}
    client_id: r
    client_secret: { file: ${at.path('secret')} }
    audience_style: audience
tokens:
${wishes.join('\n')}
`,
  );
  await at.file('secret', 'a-secret');
  const env = {
    TOKEEP_NODE: name,
    TOKEEP_CONFIG: at.path(`${name}/tokeep.yaml`),
    STATE_DIRECTORY: at.path(`${name}/state`),
    CONFIGURATION_DIRECTORY: at.path(`${name}/etc`),
  };
  return {
    name,
    start: () => at.start(['run'], { env }),
    holds: (wish) =>
      readFile(at.path(`${name}/out/${wish}`), 'utf8').then(
        (text) => text.trim(),
        () => '',
      ),
  };
}

test('two nodes on one database: each token is asked for once, both deliver it, and one goes on when the other is killed', async () => {
  await using issuer = await hostileIssuer();
  const given = new Map<string, string[]>();
  issuer.always(counting(given));
  await using at = await house();
  const url = await postgres.database('two_nodes');
  const [left, right] = [await nodeOf(at, 'left', issuer, url), await nodeOf(at, 'right', issuer, url)];
  const bothHold = async (nth: number) => {
    for (const node of [left, right])
      for (const wish of names) if ((await node.holds(wish)) !== `token-${wish}-${nth}`) return false;
    return true;
  };

  const one = left.start();
  await using _one = one;
  await until('the sealing key', () => readFile(at.path('left/etc/seal.key')).catch(() => undefined));
  await one.hears(/started/);
  await copyFile(at.path('left/etc/seal.key'), at.path('right/etc/seal.key'));
  const two = right.start();
  await using _two = two;
  await until('every token at both nodes', () => bothHold(1));
  for (const wish of names) assert.equal(given.get(wish)?.length, 1, `${wish} was asked for more than once`);

  // Killed with a request under way: what it had claimed stays claimed, all else goes on at the other node.
  const held = Promise.withResolvers<string>();
  issuer.script((_response, request) => held.resolve(request.form.get('audience') ?? ''));
  const stuck = await held.promise;
  const holder = await holderOf(url, stuck);
  const killed =
    holder === 'left' ? { node: left, process: one, other: right } : { node: right, process: two, other: left };
  await killed.process.end('SIGKILL');
  const others = names.filter((wish) => wish !== stuck);
  await until('the second tokens at the node that lives', async () => {
    for (const wish of others)
      if ((given.get(wish)?.length ?? 0) < 2 || (await killed.other.holds(wish)) === `token-${wish}-1`) return false;
    return true;
  });

  // Back again, its dead claim is void at once.
  await rm(at.path(`${killed.node.name}/out/${stuck}`), { force: true });
  await using back = killed.node.start();
  await back.hears(/started/);
  await until('the token that was being asked for', async () =>
    (await killed.node.holds(stuck as Name)).startsWith(`token-${stuck}-2`),
  );
});

/** The node whose claim lies on the wish. */
async function holderOf(url: string, wish: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT holder FROM wish WHERE name = $1', [wish]);
    return String(rows[0]?.holder).split(' ')[0] ?? '';
  } finally {
    await client.end();
  }
}
