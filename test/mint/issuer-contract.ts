import assert from 'node:assert/strict';
import { after as afterAll, before, describe, test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Fault } from '../../src/fault/fault.ts';
import { DatabaseAuditLog } from '../../src/mint/audit-log.ts';
import type { OpenIssuer } from '../../src/mint/issuer.ts';
import { readKeys } from '../../src/mint/key-table.ts';
import { openSealedParts } from '../../src/mint/reseal-issuer.ts';
import { markPublished, rotateKeys } from '../../src/mint/rotate-keys.ts';
import { keySealer, ringSealer } from '../../src/store/envelope.ts';
import { days, epoch, hours, minutes, seconds } from '../../src/token/time.ts';
import type { TestClock } from '../../src/world/test-clock.ts';
import type { World } from '../../src/world/world.ts';
import { createIssuer, deps, freshDirectory, isFault, newIssuer, openIssuer, request, url } from './issuer-bed.ts';

/** What both databases have to give. */
export interface IssuerBed {
  /** `store` of a new issuer with a database of its own. */
  store(): Promise<ReturnType<typeof newIssuer>['store']>;
  /** Runs SQL as somebody who may do everything, past the issuer. */
  tamper(issuer: OpenIssuer, sql: string): Promise<void>;
  stop(): Promise<void>;
}

export function issuerContract(
  name: string,
  world: World & { readonly clock: TestClock },
  start: () => Promise<IssuerBed>,
) {
  describe(name, () => {
    let bed: IssuerBed;
    const open: OpenIssuer[] = [];
    before(async () => {
      bed = await start();
    });
    afterAll(async () => {
      for (const issuer of open) await issuer.close();
      await bed.stop();
    });

    /** Two that work with the same issuer, each with a chain of its own in the audit log. */
    async function opened(more: Parameters<typeof newIssuer>[0] = {}) {
      const directory = freshDirectory();
      const store = await bed.store();
      const a = await createIssuer(world, directory, newIssuer({ store, ...more }), { ...deps, chain: 'a' });
      const b = await openIssuer(world, directory, { ...deps, chain: 'b' });
      open.push(a, b);
      return { a, b, directory };
    }
    const events = async (issuer: OpenIssuer) => (await issuer.audit.lines({})).map(({ entry }) => entry.event);

    test('many tokens at once have numbers without a gap, on each chain', async () => {
      const { a, b } = await opened();
      const minted = await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? a : b).mint(request())));
      assert.equal(new Set(minted.map(({ jti }) => jti)).size, 60);
      const verdict = await a.audit.verify();
      assert.ok(verdict.kind === 'whole');
      assert.deepEqual(
        verdict.heads.map(({ chain, seq }) => [chain, seq]),
        [
          ['a', 31],
          ['b', 30],
        ],
      );
      assert.deepEqual(await b.audit.heads(), verdict.heads);
    });

    test('two programs that write to the same chain do so by turns', async () => {
      const { a, directory } = await opened();
      const again = await openIssuer(world, directory, { ...deps, chain: 'a' });
      open.push(again);
      await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? a : again).mint(request())));
      const verdict = await a.audit.verify();
      assert.ok(verdict.kind === 'whole');
      assert.deepEqual([verdict.heads.length, verdict.lines], [1, 61]);
    });

    test('a token is found by its jti, with for whom it was and where it went', async () => {
      const { a, b } = await opened();
      const minted = await a.mint(request({ deliveredTo: ['/run/tokens/ce1'], requestId: 'r-1' }));
      await a.mint(request());
      const [line, ...more] = await b.audit.lines({ jti: minted.jti });
      assert.deepEqual(more, []);
      assert.deepEqual(line?.entry, {
        at: minted.issuedAt,
        event: 'issued',
        by: 'sign',
        jti: minted.jti,
        subject: 'pilot-1',
        audiences: ['https://se.example.org'],
        scopes: ['storage.read:/osg/data'],
        expiresAt: minted.expiresAt,
        kid: minted.kid,
        deliveredTo: ['/run/tokens/ce1'],
        requestId: 'r-1',
      });
    });

    test('lines since a time, and the last of them', async () => {
      const { a } = await opened();
      world.clock.advance(seconds(10));
      const since = world.clock.now();
      for (const name of ['pilot-1', 'pilot-2', 'pilot-3']) await a.mint(request({ subject: name }));
      const subjects = async (query: Parameters<typeof a.audit.lines>[0]) =>
        (await a.audit.lines(query)).map(({ entry }) => entry.subject);
      assert.deepEqual(await subjects({ since }), ['pilot-1', 'pilot-2', 'pilot-3']);
      assert.deepEqual(await subjects({ limit: 2 }), ['pilot-2', 'pilot-3']);
      assert.deepEqual(await subjects({ since: epoch(since + 1000) }), []);
    });

    test('what the policy refuses leaves a line and no token', async () => {
      const { a } = await opened();
      await assert.rejects(a.mint(request({ subject: 'nobody' })), isFault('policy-refused'));
      const [, refused] = await a.audit.lines({});
      assert.equal(refused?.entry.event, 'refused');
      assert.match(String(refused?.entry.reason), /does not allow the subject nobody/);
    });

    test('a mint inside a transaction that is undone leaves no line, and the chain goes on', async () => {
      const { a } = await opened();
      const undone = a.database.write(async (session) => {
        await a.mintIn(session, request());
        throw new Fault('state-conflict', 'undone');
      });
      await assert.rejects(undone, isFault('state-conflict'));
      await a.database.write((session) => a.mintIn(session, request()));
      assert.deepEqual(await events(a), ['key-made', 'issued']);
      assert.equal((await a.audit.verify()).kind, 'whole');
    });

    test('a refusal inside a transaction leaves its line although the transaction is undone', async () => {
      const { a, directory } = await opened();
      const refused = a.database.write((session) => a.mintIn(session, request({ subject: 'nobody' })));
      await assert.rejects(refused, isFault('policy-refused'));
      open.splice(open.indexOf(a), 1);
      await a.close();
      const again = await openIssuer(world, directory, { ...deps, chain: 'a' });
      open.push(again);
      assert.deepEqual(await events(again), ['key-made', 'refused']);
    });

    test('a line that was changed is found', async () => {
      const { a } = await opened();
      for (let i = 0; i < 3; i += 1) await a.mint(request());
      await bed.tamper(a, `UPDATE issuer_audit SET line = REPLACE(line, 'pilot-1', 'pilot-2') WHERE seq = 3`);
      const verdict = await a.audit.verify();
      assert.ok(verdict.kind === 'broken');
      assert.equal(verdict.seq, 3);
      assert.match(verdict.why, /not what was written/);
      for (const line of ['no JSON', 'null']) {
        await bed.tamper(a, `UPDATE issuer_audit SET line = '${line}' WHERE seq = 3`);
        await assert.rejects(a.audit.lines({}), isFault('state-broken'));
        assert.equal((await a.audit.verify()).kind, 'broken');
      }
    });

    test('a line that was taken out is found, and one that would be found by another jti', async () => {
      const { a, b } = await opened();
      for (let i = 0; i < 3; i += 1) await a.mint(request());
      await b.mint(request());
      await bed.tamper(b, `UPDATE issuer_audit SET jti = 'other' WHERE chain = 'b'`);
      const first = await a.audit.verify();
      assert.deepEqual([first.kind, first.kind === 'broken' && first.chain], ['broken', 'b']);
      await bed.tamper(a, `DELETE FROM issuer_audit WHERE chain = 'a' AND seq = 2`);
      const verdict = await a.audit.verify();
      assert.ok(verdict.kind === 'broken');
      assert.match(verdict.why, /line 2 is missing/);
    });

    test('an end that was cut off shows by a head that was written down, as does a chain that was written anew', async () => {
      const { a } = await opened();
      for (let i = 0; i < 3; i += 1) await a.mint(request());
      const known = await a.audit.heads();
      assert.equal((await a.audit.verify(known)).kind, 'whole');
      await bed.tamper(a, `DELETE FROM issuer_audit WHERE seq > 2`);
      assert.equal((await a.audit.verify()).kind, 'whole');
      const cut = await a.audit.verify(known);
      assert.ok(cut.kind === 'broken');
      assert.match(cut.why, /its end is missing: line 4 was there once, and the last one now is 2/);
      for (let i = 0; i < 2; i += 1) await a.mint(request());
      // A journal has the head from before, and the one of the same number from after, in whatever order.
      const since = await a.audit.heads();
      for (const noted of [known, [...known, ...since], [...since, ...known]]) {
        const anew = await a.audit.verify(noted);
        assert.ok(anew.kind === 'broken');
        assert.match(anew.why, /another one than was written/);
      }
    });

    test('the lines of another issuer do not make a chain here', async () => {
      const { a } = await opened();
      const { database, engine } = a;
      const other = new DatabaseAuditLog({
        database,
        engine,
        url: `${url}2` as typeof url,
        chain: 'c',
        nameOf: (s) => s,
      });
      await other.append({ at: world.clock.now(), event: 'issued', by: 'x' });
      assert.equal((await a.audit.verify()).kind, 'broken');
    });

    test('subjects stand in the log by a keyed name where issuer.yaml says so, the same on all nodes', async () => {
      const { a, b } = await opened({ audit: { subjects: 'hashed' } });
      await a.mint(request());
      await b.mint(request());
      await b.mint(request({ subject: 'pilot-2' }));
      const names = (await a.audit.lines({})).flatMap(({ entry }) => entry.subject ?? []);
      assert.equal(new Set(names).size, 2);
      assert.ok(names.every((name) => /^hashed:[0-9a-f]{32}$/.test(name)));
      assert.equal(
        (await a.subjectNames()).inLog('pilot-2'),
        names.find((name) => name !== names[0]),
      );
      await a.audit.append({
        at: world.clock.now(),
        event: 'refused',
        by: 'test',
        subject: 'pilot-2',
        reason: 'pilot-2 may not',
      });
      const told = (await a.audit.lines({})).find(({ entry }) => entry.event === 'refused')?.entry;
      assert.equal(told?.reason, `${told?.subject} may not`);
    });

    test('a random subject is the same for a user on all nodes, and has nothing to do with that of another issuer', async () => {
      const { a, b } = await opened();
      const { a: other } = await opened();
      const name = (await a.subjectNames()).random('alice');
      assert.match(name, /^[0-9a-f]{32}$/);
      assert.equal((await b.subjectNames()).random('alice'), name);
      assert.notEqual((await a.subjectNames()).random('bob'), name);
      assert.notEqual((await other.subjectNames()).random('alice'), name);
    });

    test('scenario 43: a key is made, waits until it was published for two days, signs, and goes after its last token', async () => {
      const { a, b } = await opened();
      const [first] = await a.keys();
      const verified = async (text: string) => {
        const keys = createLocalJWKSet({ keys: (await b.keys()).map(({ jwk }) => ({ ...jwk })) as never });
        await jwtVerify(text, keys, { issuer: url, currentDate: new Date(world.clock.now()) });
      };
      await markPublished(a, [String(first?.kid)], 'publish');
      await assert.rejects(rotateKeys(a, { now: false, by: 'admin' }), isFault('rotation-early'));
      const made = await rotateKeys(a, { now: true, reason: 'drill', by: 'admin' });
      assert.deepEqual([made.done.kind, made.publish], ['make', true]);
      await assert.rejects(
        rotateKeys(b, { now: false, by: 'admin' }),
        (thrown) =>
          isFault('rotation-early')(thrown) && /never published/.test(String(thrown)) && thrown.retryAt === undefined,
      );
      assert.deepEqual(await markPublished(b, [made.kid, String(first?.kid)], 'publish'), [made.kid]);
      world.clock.advance(hours(47));
      await assert.rejects(
        rotateKeys(b, { now: false, by: 'admin' }),
        (thrown) =>
          isFault('rotation-early')(thrown) &&
          thrown.retryAt === world.clock.now() + hours(1) &&
          /--now --reason TEXT/.test(String(thrown.hint)),
      );
      world.clock.advance(hours(1));
      const old = await a.mint(request({ lifetime: hours(6) }));
      assert.equal((await rotateKeys(b, { now: false, by: 'cron' })).done.kind, 'promote');
      world.clock.advance(seconds(1));
      const fresh = await a.mint(request());
      assert.deepEqual([old.kid, fresh.kid], [first?.kid, made.kid]);
      await verified(old.token.reveal());
      await verified(fresh.token.reveal());
      world.clock.advance(hours(6));
      await assert.rejects(rotateKeys(a, { now: false, by: 'cron' }), isFault('rotation-early'));
      world.clock.advance(minutes(75));
      assert.equal((await rotateKeys(a, { now: false, by: 'cron' })).done.kind, 'remove');
      assert.deepEqual(
        (await b.keys()).map(({ kid }) => kid),
        [made.kid],
      );
      assert.equal((await b.keys({ removed: true })).length, 2);
      assert.equal((await readKeys(a.database)).find(({ key }) => key.state === 'removed')?.sealed, undefined);
      assert.deepEqual(await events(a), [
        'key-made',
        'key-published',
        'key-made',
        'key-published',
        'issued',
        'key-retired',
        'key-signing',
        'issued',
        'key-removed',
      ]);
    });

    test('with --now and a reason each next step is done at once, and the reason stands in the audit log', async () => {
      const { a } = await opened();
      const wish = { now: true, reason: 'the key was on a stolen laptop', by: 'admin root' };
      const kinds: string[] = [];
      for (let i = 0; i < 3; i += 1) kinds.push((await rotateKeys(a, wish)).done.kind);
      assert.deepEqual(kinds, ['make', 'promote', 'remove']);
      const reasons = (await a.audit.lines({})).map(({ entry }) => entry.reason);
      assert.deepEqual(
        reasons.slice(1),
        Array.from({ length: 4 }, () => wish.reason),
      );
      await assert.rejects(rotateKeys(a, { now: true, reason: ' ', by: 'x' }), isFault('usage'));
      assert.equal((await a.mint(request())).kid, (await a.keys())[0]?.kid);
    });

    test('scenario 43: --now removes the key that was lost, and another retired key only by its name', async () => {
      const { a, b } = await opened();
      const [peaceful] = await a.keys();
      const wish = { now: true, reason: 'the backup was stolen', by: 'admin' };
      const lost = await rotateKeys(a, wish);
      await markPublished(a, [lost.kid], 'publish');
      world.clock.advance(hours(48));
      await a.mint(request({ lifetime: hours(6) }));
      assert.equal((await rotateKeys(a, { now: false, by: 'cron' })).done.kind, 'promote');
      const steps = [await rotateKeys(a, wish), await rotateKeys(b, wish), await rotateKeys(a, wish)];
      assert.deepEqual(
        steps.map(({ done }) => done.kind),
        ['make', 'promote', 'remove'],
      );
      assert.equal(steps[2]?.kid, lost.kid);
      const signs = String(steps[0]?.kid);
      assert.deepEqual(
        (await b.keys()).map(({ kid, state }) => [kid, state]),
        [
          [peaceful?.kid, 'retired'],
          [signs, 'signing'],
        ],
      );
      await assert.rejects(rotateKeys(a, { ...wish, remove: signs }), /cannot be removed before another one does/);
      await assert.rejects(rotateKeys(a, { ...wish, remove: lost.kid }), /there is no key/);
      assert.equal((await rotateKeys(a, { ...wish, remove: String(peaceful?.kid) })).done.kind, 'remove');
      assert.equal((await b.keys()).length, 1);
    });

    test('of two that rotate at the same moment one does the step', async () => {
      const { a, b } = await opened();
      const wish = { now: true, reason: 'race', by: 'x' };
      const outcomes = await Promise.allSettled([rotateKeys(a, wish), rotateKeys(b, wish)]);
      const keys = await a.keys();
      assert.equal(keys.filter(({ state }) => state === 'signing').length, 1);
      assert.ok(keys.filter(({ state }) => state === 'next').length <= 1);
      assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
      assert.equal((await a.audit.verify()).kind, 'whole');
    });

    test('after a change of the sealing key everything opens with the new one alone', async () => {
      const { a, directory } = await opened({ audit: { subjects: 'hashed' } });
      const [oldKey, newKey] = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)];
      const name = (await a.subjectNames()).random('alice');
      const [ring, alone] = [ringSealer(newKey, [oldKey]), keySealer(newKey)];
      await using parts = await openSealedParts(world, directory);
      await assert.rejects(parts.check(alone), isFault('seal-wrong-key'));
      await assert.rejects(parts.reseal(keySealer(Buffer.alloc(32, 9))), isFault('seal-wrong-key'));
      assert.equal(await parts.reseal(ring), 2);
      assert.equal(await parts.reseal(ring), 0);
      await parts.check(alone);
      const later = await openIssuer(world, directory, { ...deps, sealer: async () => ringSealer(newKey, []) });
      open.push(later);
      await later.mint(request());
      assert.equal((await later.subjectNames()).random('alice'), name);
      await assert.rejects(openIssuer(world, directory, deps), isFault('seal-wrong-key'));
    });

    test('what is sealed with a key that was left meanwhile is refused, a signing key and the key of names alike', async () => {
      const { a, directory } = await opened();
      const newKey = Buffer.alloc(32, 8);
      await using parts = await openSealedParts(world, directory);
      const ring = ringSealer(newKey, [Buffer.alloc(32, 7)]);
      await parts.leave(keySealer(Buffer.alloc(32, 7)).keyId);
      await parts.reseal(ring);
      await assert.rejects(rotateKeys(a, { now: true, reason: 'late', by: 'x' }), isFault('seal-wrong-key'));
      await assert.rejects(a.subjectNames(), isFault('seal-wrong-key'));
      await parts.check(keySealer(newKey));
      const later = await openIssuer(world, directory, { ...deps, sealer: async () => keySealer(newKey) });
      open.push(later);
      await rotateKeys(later, { now: true, reason: 'in time', by: 'x' });
      await later.subjectNames();
      await parts.check(keySealer(newKey));
    });

    test('neither a token nor a private key lies open in the database', async () => {
      const { a } = await opened();
      const minted = await a.mint(request());
      await rotateKeys(a, { now: true, reason: 'drill', by: 'x' });
      const signature = String(minted.token.reveal().split('.')[2]);
      const all = await Promise.all(
        ['issuer_meta', 'issuer_key', 'issuer_audit'].map((table) => a.database.read(`SELECT * FROM ${table}`)),
      );
      const text = JSON.stringify(all);
      assert.ok(!text.includes(signature) && !text.includes(minted.token.reveal()));
      assert.ok(!/PRIVATE KEY|"d":/.test(text));
    });

    test('the record of a key that is not as it was written is said in a sentence, and nothing is signed with it', async () => {
      const { a, directory } = await opened();
      const [row] = await a.database.read('SELECT doc FROM issuer_key');
      const doc = String(row?.['doc']);
      const other = (change: object) => JSON.stringify({ ...JSON.parse(doc), ...change });
      const docs = [
        '',
        '{',
        'null',
        '[]',
        '"x"',
        '{}',
        other({ jwk: null }),
        other({ jwk: { kty: 'EC' } }),
        other({ home: 5 }),
      ];
      for (const broken of [
        ...docs,
        other({ algorithm: 'HS256' }),
        other({ createdAt: 'now' }),
        other({ createdAt: undefined }),
      ]) {
        await bed.tamper(a, `UPDATE issuer_key SET doc = '${broken}'`);
        await assert.rejects(a.keys(), isFault('state-broken'), broken);
        a.lookAgain();
        await assert.rejects(a.mint(request()), isFault('state-broken'), broken);
        const later = await openIssuer(world, directory, deps);
        await assert.rejects(
          later.signingKey(),
          /^Fault: the record of the key "\S+" is not one that was written there$/,
        );
        await later.close();
      }
      await bed.tamper(a, `UPDATE issuer_key SET doc = '${doc}', state = 'asleep'`);
      await assert.rejects(a.keys(), isFault('state-broken'));
      await bed.tamper(a, `UPDATE issuer_key SET state = 'signing'`);
      assert.equal((await a.keys()).length, 1);
    });

    test('a database belongs to one issuer, and is not worked on by an older tokeep', async () => {
      const { a } = await opened();
      const { store } = a.settings;
      const other = newIssuer({ url: `${url}/other` as typeof url, store });
      if (store.kind === 'postgres') {
        await assert.rejects(createIssuer(world, freshDirectory(), other, deps), isFault('config-invalid'));
      }
      await bed.tamper(a, `UPDATE issuer_meta SET value = '99' WHERE key = 'format'`);
      await assert.rejects(openIssuer(world, a.directory, deps), isFault('state-newer'));
    });

    test('a life of half a year with cron: no key is ever missing', async () => {
      const { a } = await opened();
      await markPublished(
        a,
        (await a.keys()).map(({ kid }) => kid),
        'publish',
      );
      const seen = new Set<string>();
      for (let day = 0; day < 400; day += 1) {
        world.clock.advance(days(1));
        await rotateKeys(a, { now: false, by: 'cron' }).catch((thrown) => assert.ok(isFault('rotation-early')(thrown)));
        await markPublished(
          a,
          (await a.keys()).map(({ kid }) => kid),
          'publish',
        );
        if (day % 20 === 0) seen.add((await a.mint(request())).kid);
      }
      assert.equal(seen.size, 3);
      assert.ok((await a.keys()).length <= 3);
    });
  });
}
