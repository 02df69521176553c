import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { refreshHash } from '../../src/issue/family-table.ts';
import { type RunningPostgres, startPostgres } from '../peers/start-postgres.ts';
import { tcpRelay } from '../peers/tcp-relay.ts';
import { type House, house, until } from './house.ts';
import {
  addClient,
  agesRefreshTokens,
  ask,
  clientCredentials,
  exchangeOf,
  exchanging,
  firstKey,
  type IssuerNode,
  issuerNode,
  partOf,
  type Registered,
  refreshOf,
  type Serving,
  sql,
} from './issuer-node.ts';

let postgres: RunningPostgres;
let at: House;
let url: string;
let one: IssuerNode;
let two: IssuerNode;
let client: Registered;
let storage: Registered;

before(async () => {
  [postgres, at] = await Promise.all([startPostgres(), house()]);
  url = await postgres.database('nodes');
  one = await issuerNode(at, 'one', { url });
  await firstKey(one);
  [client, storage] = await Promise.all([
    addClient(one, 'client-rucio', ...exchanging),
    addClient(one, 'client-se', '--serves', 'https://se.example.org'),
  ]);
  await sql(url, agesRefreshTokens);
  two = await issuerNode(at, 'two', { url }, 'one');
});

after(async () => {
  await postgres.stop();
  await at[Symbol.asyncDispose]();
});

const serveBoth = () => Promise.all([one.serve(), two.serve()]);

/** A client that never gives up: it asks the nodes in turns, and the other one again where an answer got lost. */
class Turns {
  readonly received: { readonly jti: string; readonly from: Serving }[] = [];
  readonly #underWay = new Map<Serving, number>();
  readonly #nodes: () => readonly Serving[];
  #turn = 0;

  constructor(nodes: () => readonly Serving[]) {
    this.#nodes = nodes;
  }

  underWay(node: Serving): number {
    return this.#underWay.get(node) ?? 0;
  }

  async token(client: Registered, form: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> {
    for (let lost = 0; ; lost += 1) {
      const nodes = this.#nodes();
      const node = nodes[this.#turn++ % nodes.length] as Serving;
      this.#underWay.set(node, this.underWay(node) + 1);
      const answer = await ask(node, client, form).catch((thrown: Error) => thrown);
      this.#underWay.set(node, this.underWay(node) - 1);
      if (answer instanceof Error) {
        assert.ok(lost < 10, `${form['grant_type']}: no node answers: ${answer.cause}`);
        continue;
      }
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const { jti } = partOf(answer.body['access_token'], 1);
      this.received.push({ jti: String(jti), from: node });
      return answer.body;
    }
  }
}

/** Own token, exchanged one, refreshed one, and so on; every refresh brings another refresh token. Ends with the last one. */
async function work(turns: Turns, client: Registered, stop: AbortSignal): Promise<string> {
  let refresh: string | undefined;
  do {
    const own = await turns.token(client, clientCredentials);
    const exchanged = await turns.token(client, exchangeOf(String(own['access_token'])));
    refresh ??= String(exchanged['refresh_token']);
    const refreshed = await turns.token(client, refreshOf(refresh));
    assert.notEqual(refreshed['refresh_token'], refresh, 'a successor');
    refresh = String(refreshed['refresh_token']);
  } while (!stop.aborted);
  return refresh;
}

/** The jti of every token in the audit log, which has to be whole. */
async function auditedTokens(node: IssuerNode): Promise<ReadonlySet<unknown>> {
  const { stdout } = await node.does(['issuer', 'audit', '--since', '1h', '--json']);
  const { entries } = JSON.parse(stdout) as { entries: { event: string; jti: string }[] };
  return new Set(entries.filter(({ event }) => event === 'issued').map(({ jti }) => jti));
}

test('a node that is killed amid many requests loses nothing: the other goes on, every token received is in the audit log, every refresh token lives', async () => {
  const [first, second] = await serveBoth();
  await using _first = first;
  await using _second = second;
  let nodes = [first, second];
  const turns = new Turns(() => nodes);
  const enough = new AbortController();
  const working = Array.from({ length: 6 }, () => work(turns, client, enough.signal));
  void Promise.all(working).catch(() => {});
  const from = (node: Serving) => turns.received.filter((token) => token.from === node).length;
  const gave = (node: Serving, count: number) => until(`${count} tokens`, () => from(node) >= count);

  await Promise.all([gave(first, 30), gave(second, 30)]);
  await until('requests under way', () => turns.underWay(first) >= 2);
  await first.end('SIGKILL');
  await gave(second, from(second) + 30);
  await using back = await one.serve();
  nodes = [second, back];
  await gave(back, 30);
  enough.abort();
  const refreshTokens = await Promise.all(working);

  for (const token of refreshTokens) {
    const { refresh_token: next } = await turns.token(client, refreshOf(token));
    await turns.token(client, refreshOf(String(next)));
  }
  const audited = await auditedTokens(two);
  const missing = turns.received.map(({ jti }) => jti).filter((jti) => !audited.has(jti));
  assert.deepEqual(missing, [], 'every token has its line');
  const { stdout } = await one.does(['issuer', 'audit']);
  assert.match(stdout, /whole.*head one:\d+:.*head two:\d+:/s);
});

const familyOf = (token: string): string =>
  `SELECT state FROM issuer_refresh
   WHERE family = (SELECT family FROM issuer_refresh WHERE hash = '${refreshHash(token)}') ORDER BY generation`;

test('scenario 41: a node that dies between the commit of a rotation and its answer: the repeat at the other node gives the successor, and the same each time', async () => {
  let armed = false;
  await using relay = await tcpRelay(
    { path: `${postgres.place.home}/.s.PGSQL.${postgres.place.port}` },
    {
      holdsBack(asked) {
        const transaction = asked.slice(asked.lastIndexOf('BEGIN'));
        return armed && /INSERT INTO issuer_audit.*COMMIT\0$/s.test(transaction);
      },
    },
  );
  const three = await issuerNode(at, 'three', { url: `postgres://tokeep@127.0.0.1:${relay.port}/nodes` }, 'one');
  const [first, second] = await Promise.all([three.serve(), two.serve()]);
  await using _first = first;
  await using _second = second;
  const own = await ask(first, client, clientCredentials);
  const exchanged = await ask(second, client, exchangeOf(String(own.body['access_token'])));
  const token = String(exchanged.body['refresh_token']);

  armed = true;
  const asking = ask(first, client, refreshOf(token));
  const answerLost = assert.rejects(asking, /fetch failed/);
  await relay.held;
  await first.end('SIGKILL');
  await answerLost;
  const states = await sql(url, familyOf(token));
  assert.deepEqual(
    states.map(({ state }) => state),
    ['superseded', 'current'],
    'the rotation is committed, and nobody has heard of it',
  );

  const repeats = [];
  for (let repeat = 0; repeat < 3; repeat += 1) repeats.push(await ask(second, client, refreshOf(token)));
  assert.deepEqual(
    repeats.map(({ status }) => status),
    [200, 200, 200],
  );
  const [successor, ...others] = repeats.map(({ body }) => String(body['refresh_token']));
  assert.ok(successor !== undefined && successor !== token);
  assert.deepEqual(others, [successor, successor]);
  assert.equal((await ask(second, client, refreshOf(successor))).status, 200);
  await two.does(['issuer', 'audit']);
});

test('what is done on one host holds on both: a key that is rotated in, a revocation, a new secret, a removal', async () => {
  const [first, second] = await serveBoth();
  await using _first = first;
  await using _second = second;
  const nodes = [first, second];
  const keySets = () => Promise.all(nodes.map(async (node) => await (await fetch(node.at('/oauth2/certs'))).text()));
  const statuses = async (as: Registered) =>
    await Promise.all(nodes.map(async (node) => (await ask(node, as, clientCredentials)).status));

  const count = (text: string) => (JSON.parse(text) as { keys: unknown[] }).keys.length;
  assert.deepEqual((await keySets()).map(count), [1, 1]);
  const made = /made the key (\S+),/.exec((await one.does(['issuer', 'rotate', '--now', '--reason', 'test'])).stdout);
  const kid = made?.[1] ?? 'none';
  const rotatedAt = performance.now();
  await until('the new key on both', async () => (await keySets()).every((text) => text.includes(kid)));
  assert.ok(performance.now() - rotatedAt < 5_000, 'a second, and patience for a busy machine');
  const [ours, theirs] = await keySets();
  assert.equal(ours, theirs);
  assert.equal(count(ours ?? ''), 2);
  await two.does(['issuer', 'rotate', '--now', '--reason', 'test']);
  await until('tokens of the new key from both', async () => {
    const answers = await Promise.all(nodes.map((node) => ask(node, client, clientCredentials)));
    return answers.every(({ body }) => partOf(body['access_token'], 0)['kid'] === kid);
  });

  const token = String((await ask(first, client, clientCredentials)).body['access_token']);
  const active = async () =>
    await Promise.all(nodes.map(async (node) => (await ask(node, storage, { token }, '/introspect')).body['active']));
  assert.deepEqual(await active(), [true, true]);
  assert.equal((await ask(first, client, { token }, '/revoke')).status, 200);
  assert.deepEqual(await active(), [false, false]);
  assert.equal((await ask(second, client, exchangeOf(token))).status, 400, 'nor is it exchanged');

  const rotated = await one.does(['issuer', 'client', 'rotate-secret', client.id, '--grace', '1h']);
  const anew = { id: client.id, secret: /client_secret (\S+)/.exec(rotated.stdout)?.[1] ?? '' };
  assert.deepEqual(
    [await statuses(client), await statuses(anew)],
    [
      [200, 200],
      [200, 200],
    ],
  );
  await two.does(['issuer', 'client', 'rotate-secret', client.id, '--grace', '1s']);
  assert.deepEqual(await statuses(client), [401, 401], 'the newest one alone has a grace');
  await until('the end of the grace', async () => (await statuses(anew)).every((status) => status === 401));

  assert.deepEqual(await statuses(storage), [400, 400], 'known, and with nothing to get');
  await two.does(['issuer', 'client', 'remove', storage.id]);
  // Nothing is to be had from the commit on; that it is not known any more is seen within the second that clients are remembered.
  await until('the removal is seen', async () => (await statuses(storage)).every((status) => status === 401));
  await one.does(['issuer', 'audit']);
});

test('a node without the sealing key says so, and is not ready; the keys it shows are those of the others', async () => {
  const stranger = await issuerNode(at, 'stranger', { url });
  const [first, second] = await Promise.all([one.serve(), stranger.serve()]);
  await using _first = first;
  await using _second = second;
  await second.hears(
    /opening the key that signs: .* sealed with key \w+, and (there is no sealing key at|the sealing key at hand is) \S+/,
  );
  const ready = await Promise.all([first, second].map(async ({ origin }) => (await fetch(`${origin}/readyz`)).status));
  assert.deepEqual(ready, [200, 503]);
  const [ours, theirs] = await Promise.all([first, second].map(async (node) => await fetch(node.at('/oauth2/certs'))));
  assert.equal(await theirs?.text(), await ours?.text());
});
