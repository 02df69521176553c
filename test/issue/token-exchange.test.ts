import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import type { NewClient } from '../../src/issue/client-admin.ts';
import { days, epoch, hours, type Millis, millis, minutes } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { type RunningPostgres, startPostgres } from '../peers/start-postgres.ts';
import { basic, post, type ServerBed, serverBed } from './server-bed.ts';

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

interface Bed extends ServerBed {
  /** Lets the clock of the server go on. */
  wait(length: Millis): void;
}

async function bedOn(place: 'SQLite' | 'PostgreSQL', postgres: RunningPostgres | undefined): Promise<Bed> {
  const real = realWorld();
  let ahead = millis(0);
  const world = { ...real, clock: { ...real.clock, now: () => epoch(real.clock.now() + ahead) } };
  const url = postgres === undefined ? undefined : await postgres.database('exchange');
  const secret = { kind: 'command', argv: ['/bin/echo', url ?? ''] } as const;
  const store = place === 'SQLite' ? {} : { settings: { store: { kind: 'postgres', url: secret } as const } };
  const bed = await serverBed({ world, ...store, policy: { groups: ['/vo', '/vo/*'], claims: ['may_act'] } });
  return Object.assign(bed, {
    wait(length: Millis) {
      ahead = millis(ahead + length);
    },
  });
}

const fts: Partial<NewClient> = {
  name: 'fts',
  grants: ['token_exchange', 'refresh_token'],
  scopes: ['storage.read:/', 'storage.modify:/data', 'compute.read'],
  audiences: ['https://*.example.org', 'https://*.example.org:*'],
  serves: ['https://fts.example.org'],
};

/** The rule for one family, written down a second time and in another way: tokens in the order they were made. */
class FamilyModel {
  readonly #tokens: { readonly text: string; readonly made: number; replaced?: number }[];
  #firstGood = 0;
  #now = 0;
  #over = false;

  constructor(first: string) {
    this.#tokens = [{ text: first, made: 0 }];
  }

  wait(hoursOn: number): void {
    this.#now += hoursOn;
  }

  back(steps: number): string {
    return this.#tokens[Math.max(0, this.#tokens.length - 1 - steps)]?.text ?? '';
  }

  /** Whether it is granted, and which refresh token comes along; `fresh` is what the server made, if it made one. */
  present(text: string, fresh: string | undefined): readonly [boolean, string | undefined] {
    const last = this.#tokens.length - 1;
    const index = this.#tokens.findIndex((token) => token.text === text);
    const token = this.#tokens[index];
    if (this.#over || token === undefined || this.#now >= 400 * 24) return [false, undefined];
    if (index < last) {
      const inGrace = index >= this.#firstGood && this.#now - (token.replaced ?? 0) <= 24;
      if (!inGrace) this.#over = true;
      return inGrace ? [true, this.#tokens[index + 1]?.text] : [false, undefined];
    }
    const age = this.#now - token.made;
    if (age >= 30 * 24) return [false, undefined];
    this.#firstGood = index;
    if (age < 21 * 24) return [true, undefined];
    assert.ok(fresh !== undefined && !this.#tokens.some((known) => known.text === fresh), 'a new token was due');
    token.replaced = this.#now;
    this.#tokens.push({ text: fresh, made: this.#now });
    return [true, fresh];
  }
}

for (const place of ['SQLite', 'PostgreSQL'] as const) {
  describe(`token exchange and refresh tokens on ${place}`, () => {
    let postgres: RunningPostgres | undefined;
    let bed: Bed;
    let client: { readonly id: string; readonly secret: string };

    before(async () => {
      postgres = place === 'PostgreSQL' ? await startPostgres() : undefined;
      bed = await bedOn(place, postgres);
      client = await bed.client(fts);
    });
    after(async () => {
      await bed?.[Symbol.asyncDispose]();
      await postgres?.stop();
    });

    /** A token as a user would have it, for the service that exchanges it. */
    async function userToken(
      change: { scopes?: readonly string[]; groups?: readonly string[]; audience?: string; claims?: object } = {},
    ) {
      const {
        scopes = ['storage.read:/home', 'storage.modify:/data'],
        groups = [],
        audience = 'https://fts.example.org',
      } = change;
      const minted = await bed.issuer.mint({
        subject: 'alice',
        audiences: [audience],
        everyone: audience.endsWith('/any'),
        scopes,
        groups,
        lifetime: minutes(30),
        clientId: 'somebody',
        claims: (change.claims ?? {}) as Record<string, string>,
        by: 'test',
        deliveredTo: [],
      });
      return minted.token.reveal();
    }

    const ask = (form: Record<string, string>, as = client) =>
      post(bed.at('/token'), form, { authorization: basic(as.id, as.secret) });
    const swap = (token: string, more: Record<string, string> = {}, as = client) =>
      ask({ grant_type: exchange, subject_token: token, subject_token_type: accessTokenType, ...more }, as);
    const refresh = (token: string, more: Record<string, string> = {}, as = client) =>
      ask({ grant_type: 'refresh_token', refresh_token: token, ...more }, as);
    async function login(): Promise<string> {
      const { body, status } = await swap(await userToken(), { scope: 'storage.read:/home offline_access' });
      assert.equal(status, 200, JSON.stringify(body));
      return String(body['refresh_token']);
    }
    async function refused(answer: ReturnType<typeof ask>, error: string): Promise<string> {
      const { status, body } = await answer;
      assert.deepEqual([status, body['error']], [400, error], JSON.stringify(body));
      return String(body['error_description']);
    }

    test('ISS-17: a token comes back smaller: narrower path, one storage host, no longer life, and who acts for whom', async () => {
      const mine = await userToken();
      const { status, body } = await swap(mine, {
        scope: 'storage.read:/home/alice',
        audience: 'https://se.example.org',
      });
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body['issued_token_type'], accessTokenType);
      assert.equal(body['refresh_token'], undefined);
      const claims = decodeJwt(String(body['access_token']));
      assert.equal(claims.sub, 'alice');
      assert.equal(claims['client_id'], client.id);
      assert.equal(claims.aud, 'https://se.example.org');
      assert.equal(claims['scope'], 'storage.read:/home/alice');
      assert.deepEqual(claims['act'], { sub: client.id });
      assert.ok(Number(claims.exp) <= Number(decodeJwt(mine).exp));
    });

    test('ISS-17: nothing wider comes out: scope, sibling path, group, audience for everybody, or a host nobody allowed', async () => {
      const mine = await userToken();
      await refused(swap(mine, { scope: 'storage.read:/' }), 'invalid_scope');
      await refused(swap(mine, { scope: 'storage.read:/homeless' }), 'invalid_scope');
      await refused(swap(mine, { scope: 'compute.read' }), 'invalid_scope');
      await refused(swap(mine, { scope: 'wlcg.groups:/vo' }), 'access_denied');
      await refused(swap(mine, { audience: 'https://wlcg.cern.ch/jwt/v1/any' }), 'invalid_target');
      await refused(swap(mine, { audience: 'https://elsewhere.test' }), 'invalid_target');
    });

    test('groups of the subject token can be kept, one by one, and come in the order asked for', async () => {
      const mine = await userToken({ groups: ['/vo', '/vo/prod', '/vo/ops'] });
      const wanted = 'wlcg.groups:/vo/ops wlcg.groups:/vo storage.read:/home';
      const { body } = await swap(mine, { scope: wanted });
      assert.deepEqual(decodeJwt(String(body['access_token']))['wlcg.groups'], ['/vo/ops', '/vo']);
      const { body: none } = await swap(mine, { scope: 'storage.read:/home' });
      assert.equal(decodeJwt(String(none['access_token']))['wlcg.groups'], undefined);
    });

    test('ISS-17: only who the token was meant for may exchange it', async () => {
      const foreign = await userToken({ audience: 'https://other.example.org' });
      assert.match(await refused(swap(foreign), 'invalid_request'), /not meant for it/);
      const forAll = await userToken({ audience: 'https://wlcg.cern.ch/jwt/v1/any' });
      assert.equal((await swap(forAll, { audience: 'https://se.example.org' })).status, 200);
      const named = await userToken({ claims: { may_act: { sub: 'client-other' } } });
      await refused(swap(named), 'invalid_request');
      const me = await userToken({ audience: 'https://other.example.org', claims: { may_act: { sub: client.id } } });
      assert.equal((await swap(me, { audience: 'https://se.example.org' })).status, 200);
    });

    test('ISS-13: what is not an access token of ours is not exchanged', async () => {
      const mine = await userToken();
      const [header, claims] = mine.split('.');
      const forged = [
        'opaque',
        `${mine}x`,
        `${header}.${claims}.`,
        `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`,
      ];
      for (const token of forged) await refused(swap(token), 'invalid_request');
      await refused(swap(mine, { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }), 'invalid_request');
      await refused(swap(mine, { actor_token: mine, actor_token_type: accessTokenType }), 'invalid_request');
    });

    test('ISS-17: the chain of actors grows, inwards, and not for ever', async () => {
      const second = await bed.client({ ...fts, name: 'second' });
      let token = await userToken();
      const turns = [client, second];
      for (let hop = 0; hop < 8; hop += 1) {
        const { status, body } = await swap(token, { audience: 'https://fts.example.org' }, turns[hop % 2]);
        assert.equal(status, 200, JSON.stringify(body));
        token = String(body['access_token']);
      }
      const { act } = decodeJwt(token) as { act?: { sub: string; act?: { sub: string } } };
      assert.equal(act?.sub, second.id);
      assert.equal(act?.act?.sub, client.id);
      await refused(swap(token, { audience: 'https://fts.example.org' }, client), 'invalid_request');
    });

    test('scenario 42: a revoked token is not exchanged any more', async () => {
      const mine = await bed.client({ ...fts, grants: ['client_credentials', 'token_exchange'] });
      const { body } = await ask(
        { grant_type: 'client_credentials', scope: 'storage.read:/', audience: 'https://se.example.org' },
        mine,
      );
      const token = String(body['access_token']);
      assert.equal((await swap(token, {}, mine)).status, 200);
      await post(bed.at('/revoke'), { token }, { authorization: basic(mine.id, mine.secret) });
      await refused(swap(token, {}, mine), 'invalid_request');
    });

    test('offline_access brings a refresh token, for a client that may have one', async () => {
      const { body } = await swap(await userToken(), { scope: 'storage.read:/home offline_access' });
      assert.equal(body['scope'], 'storage.read:/home');
      assert.equal(body['refresh_expires_in'], 30 * 86_400);
      const plain = await bed.client({ ...fts, grants: ['token_exchange'] });
      await refused(swap(await userToken(), { scope: 'offline_access' }, plain), 'invalid_scope');
    });

    test('ISS-07: a refresh narrows and never widens, and only its client can use it', async () => {
      const token = await login();
      const { status, body } = await refresh(token, { scope: 'storage.read:/home/alice/data' });
      assert.equal(status, 200, JSON.stringify(body));
      const claims = decodeJwt(String(body['access_token']));
      assert.deepEqual(
        [claims.sub, claims['scope'], claims.aud],
        ['alice', 'storage.read:/home/alice/data', 'https://fts.example.org'],
      );
      await refused(refresh(token, { scope: 'storage.modify:/data' }), 'invalid_scope');
      await refused(refresh(token, { scope: 'storage.read:/' }), 'invalid_scope');
      await refused(refresh(token, { audience: 'https://se.example.org' }), 'invalid_target');
      const other = await bed.client(fts);
      await refused(refresh(token, {}, other), 'invalid_grant');
      await refused(refresh('no-such-token'), 'invalid_grant');
      assert.equal((await refresh(token)).status, 200, 'none of that harmed it');
    });

    test('ISS-17: what a refresh brings still says who acts for whom, and has the groups that the grant had, or fewer', async () => {
      const mine = await userToken({ groups: ['/vo', '/vo/prod'] });
      const scope = 'storage.read:/home offline_access wlcg.groups:/vo/prod wlcg.groups:/vo';
      const token = String((await swap(mine, { scope })).body['refresh_token']);
      const refreshed = async (more: Record<string, string>) => {
        const { status, body } = await refresh(token, more);
        assert.equal(status, 200, JSON.stringify(body));
        const { act, scope: scopes, 'wlcg.groups': groups } = decodeJwt(String(body['access_token']));
        return { act, scopes, groups };
      };
      const act = { sub: client.id };
      const all = { act, scopes: 'storage.read:/home', groups: ['/vo/prod', '/vo'] };
      assert.deepEqual(await refreshed({}), all);
      assert.deepEqual(await refreshed({ scope: 'offline_access' }), all);
      assert.deepEqual(await refreshed({ scope: 'wlcg.groups:/vo' }), { act, scopes: '', groups: ['/vo'] });
      assert.deepEqual(await refreshed({ scope: 'storage.read:/home/x' }), {
        act,
        scopes: 'storage.read:/home/x',
        groups: undefined,
      });
      await refused(refresh(token, { scope: 'wlcg.groups:/vo/ops' }), 'access_denied');
    });

    test('a young refresh token stays; an old one is replaced once, and a repeat yields the same successor (scenario 41)', async () => {
      const token = await login();
      assert.equal((await refresh(token)).body['refresh_token'], undefined);
      bed.wait(days(22));
      const first = (await refresh(token)).body['refresh_token'];
      assert.equal(typeof first, 'string');
      // The answer is lost, and the client comes back, again and again, from several places.
      const again = await Promise.all([refresh(token), refresh(token), refresh(token)]);
      assert.deepEqual(
        again.map(({ body }) => body['refresh_token']),
        [first, first, first],
      );
      assert.equal((await refresh(String(first))).status, 200);
    });

    test('ISS-08: two at the same moment get the same successor', async () => {
      const token = await login();
      bed.wait(days(22));
      const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(token)));
      assert.deepEqual(
        answers.map(({ status }) => status),
        answers.map(() => 200),
        JSON.stringify(answers.map(({ body }) => body['error_description'])),
      );
      assert.equal(new Set(answers.map(({ body }) => body['refresh_token'])).size, 1);
    });

    test('ISS-08: a token that comes back after its successor was used ends the family, and the audit log says so', async () => {
      const token = await login();
      bed.wait(days(22));
      const next = String((await refresh(token)).body['refresh_token']);
      assert.equal((await refresh(next)).status, 200);
      assert.match(await refused(refresh(token), 'invalid_grant'), /used again/);
      await refused(refresh(next), 'invalid_grant');
      const lines = await bed.issuer.audit.lines({});
      const replay = lines.findLast(({ entry }) => entry.event === 'replayed')?.entry;
      assert.equal(replay?.by, `client ${client.id}`);
      assert.match(replay.reason ?? '', /family .* was revoked/);
      assert.ok(!JSON.stringify(lines).includes(token) && !JSON.stringify(lines).includes(next));
    });

    test('ISS-08: beyond the grace even the last one before is a replay', async () => {
      const token = await login();
      bed.wait(days(22));
      const next = String((await refresh(token)).body['refresh_token']);
      bed.wait(hours(25));
      await refused(refresh(token), 'invalid_grant');
      await refused(refresh(next), 'invalid_grant');
    });

    test('ISS-08: 30 days unused, or 400 days after the login, it is over', async () => {
      const idle = await login();
      bed.wait(days(30));
      await refused(refresh(idle), 'invalid_grant');
      let token = await login();
      for (let day = 0; day < 396; day += 22) {
        bed.wait(days(22));
        const { status, body } = await refresh(token);
        assert.equal(status, 200, `${day}: ${JSON.stringify(body)}`);
        token = String(body['refresh_token']);
      }
      bed.wait(days(4));
      await refused(refresh(token), 'invalid_grant');
    });

    test('ISS-08: whatever is presented in whatever order and at whatever time, the answers are those of the rule', async () => {
      const step = fc.oneof(
        { weight: 3, arbitrary: fc.record({ back: fc.nat(2) }) },
        { weight: 2, arbitrary: fc.record({ hours: fc.integer({ min: 1, max: 24 * 25 }) }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
          const model = new FamilyModel(await login());
          for (const one of steps) {
            if ('hours' in one) {
              bed.wait(hours(one.hours));
              model.wait(one.hours);
              continue;
            }
            const presented = model.back(one.back);
            const { status, body } = await refresh(presented);
            const expected = model.present(presented, body['refresh_token'] as string | undefined);
            assert.deepEqual([status === 200, body['refresh_token']], expected, JSON.stringify(steps));
          }
        }),
        { numRuns: place === 'SQLite' ? 40 : 10 },
      );
    });

    test('scenario 42: after a revocation no refresh token of the family gives anything, whichever was revoked', async () => {
      const token = await login();
      bed.wait(days(22));
      const next = String((await refresh(token)).body['refresh_token']);
      await post(bed.at('/revoke'), { token }, { authorization: basic(client.id, client.secret) });
      await refused(refresh(next), 'invalid_grant');
      await refused(refresh(token), 'invalid_grant');
    });

    test('scenario 42: a revocation that comes while others refresh wins: nothing is given after it was answered', async () => {
      const token = await login();
      let revoked = false;
      const late: number[] = [];
      const users = Array.from({ length: 4 }, async () => {
        for (let turn = 0; turn < 10; turn += 1) {
          const begunAfter = revoked;
          const { status } = await refresh(token);
          if (begunAfter) late.push(status);
        }
      });
      await post(bed.at('/revoke'), { token }, { authorization: basic(client.id, client.secret) });
      revoked = true;
      await Promise.all(users);
      assert.ok(
        late.every((status) => status === 400),
        String(late),
      );
      await refused(refresh(token), 'invalid_grant');
    });

    test('ISS-09: the database holds no refresh token, current or to come', async () => {
      const token = await login();
      bed.wait(days(22));
      const next = String((await refresh(token)).body['refresh_token']);
      const rows = JSON.stringify([
        await bed.issuer.database.read('SELECT * FROM issuer_refresh'),
        await bed.issuer.database.read('SELECT * FROM issuer_family'),
      ]);
      for (const secret of [token, next]) assert.ok(!rows.includes(secret));
      assert.ok(rows.includes('superseded'));
    });
  });
}
