import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isLoopback, listenPlace, placeText } from '../../src/serve/listen-place.ts';
import { RateLimit } from '../../src/serve/rate-limit.ts';
import { limitedAs, TrustedProxies } from '../../src/serve/trusted-proxies.ts';
import { type Mono, mono } from '../../src/token/time.ts';

test('MED-11: only the part of X-Forwarded-For that proxies of ours have written is believed', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8']);
  const table: readonly (readonly [string, string | undefined, string])[] = [
    // The peer is a stranger: what it says of others is nothing.
    ['203.0.113.9', '1.2.3.4', '203.0.113.9'],
    ['10.1.2.3', undefined, '10.1.2.3'],
    ['10.1.2.3', '1.2.3.4', '1.2.3.4'],
    ['::ffff:10.1.2.3', '1.2.3.4', '1.2.3.4'],
    ['10.1.2.3', '9.9.9.9, 1.2.3.4', '1.2.3.4'],
    ['10.1.2.3', '9.9.9.9, 1.2.3.4, 10.9.9.9, 192.0.2.7', '1.2.3.4'],
    ['fd00::1', '2001:db8::5', '2001:db8::5'],
    ['192.0.2.8', '1.2.3.4', '192.0.2.8'],
    ['10.1.2.3', 'unknown', '10.1.2.3'],
    ['10.1.2.3', '1.2.3.4, <script>', '10.1.2.3'],
    ['10.1.2.3', '', '10.1.2.3'],
    ['10.1.2.3', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
  ];
  for (const [peer, header, client] of table)
    assert.equal(proxies.clientAddress(peer, header), client, `${peer} ${header}`);
  assert.equal(new TrustedProxies([]).clientAddress('127.0.0.1', '1.2.3.4'), '127.0.0.1');
  assert.ok(!new TrustedProxies([]).has('127.0.0.1'));
});

test('a limit counts the network of an IPv6 address, and an IPv4 address by itself', () => {
  const same = ['2001:db8:1:2::1', '2001:DB8:1:2:ffff::', '2001:0db8:0001:0002:0:0:0:9', '2001:db8:1:2:3:4:5.6.7.8'];
  assert.deepEqual([...new Set(same.map(limitedAs))], ['2001:db8:1:2::/64']);
  assert.deepEqual(['2001:db8:1:3::1', '::1', 'fe80::1%eth0', '192.0.2.7', ''].map(limitedAs), [
    '2001:db8:1:3::/64',
    '0:0:0:0::/64',
    'fe80:0:0:0::/64',
    '192.0.2.7',
    '',
  ]);
});

test('a rate of less than one in ten seconds lets one by', () => {
  const limit = new RateLimit({ perSecond: 0.05, burst: 0.5 }, { monotonic: () => mono(0) });
  assert.equal(limit.take('one'), undefined);
  assert.equal(limit.take('one'), 20_000);
});

test('a trusted proxy that is no address is refused with an example', () => {
  for (const entry of ['', 'proxy.example.org', '10.0.0.0/33', '::1/129', '10.0.0.0/8/8', '10.0.0.0/x', '*']) {
    assert.throws(() => new TrustedProxies([entry]), /a trusted proxy is an address or a network/, entry);
  }
});

test('a place to listen on is read as it is written, and 127.0.0.1 unless told', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['8080', '127.0.0.1:8080', true],
    ['127.0.0.1:0', '127.0.0.1:0', true],
    ['[::1]:443', '[::1]:443', true],
    ['localhost:1', 'localhost:1', true],
    ['[::]:443', '[::]:443', false],
    ['0.0.0.0:443', '0.0.0.0:443', false],
    ['192.0.2.1:443', '192.0.2.1:443', false],
    ['127.example.org:443', '127.example.org:443', false],
  ];
  for (const [text, shown, near] of table) {
    const place = listenPlace(text);
    assert.deepEqual([placeText(place), isLoopback(place)], [shown, near], text);
  }
  for (const text of ['', ':', 'x:y', '1:2:3', '70000', 'http://localhost:80'])
    assert.throws(() => listenPlace(text), /HOST:PORT/);
});

test('a rate is kept over any time, after any pause at most a burst comes at once, and what is refused is not counted', () => {
  const steps = fc.array(fc.record({ wait: fc.integer({ min: 0, max: 400 }), asks: fc.integer({ min: 0, max: 12 }) }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10 }), (plan, perSecond, burst) => {
      let now: Mono = mono(1_000);
      const limit = new RateLimit({ perSecond, burst }, { monotonic: () => now });
      const taken: number[] = [];
      for (const { wait, asks } of plan) {
        now = mono(now + wait);
        for (let n = 0; n < asks; n += 1) {
          const early = limit.take('one');
          if (early === undefined) taken.push(now);
          else assert.ok(early > 0 && early <= 1000 / perSecond + 1);
        }
      }
      for (const [at, start] of taken.entries()) {
        const inSecond = taken.slice(at).filter((time) => time <= start + 1000).length;
        assert.ok(inSecond <= burst + perSecond + 1, `${inSecond} in a second`);
      }
    }),
  );
  let now: Mono = mono(0);
  const limit = new RateLimit({ perSecond: 1, burst: 1 }, { monotonic: () => now });
  assert.equal(limit.take('a'), undefined);
  const wait = limit.take('a');
  assert.ok(wait !== undefined);
  assert.equal(limit.take('b'), undefined);
  now = mono(wait);
  assert.equal(limit.take('a'), undefined);
});

test('a flood of addresses does not fill the memory, and those that owe something are the last to be forgotten', () => {
  let now: Mono = mono(0);
  const limit = new RateLimit({ perSecond: 1, burst: 1 }, { monotonic: () => now });
  for (let n = 0; n < 10_000; n += 1) limit.take(`old ${n}`);
  now = mono(2_000);
  assert.equal(limit.take('owes'), undefined);
  for (let n = 0; n < 5_000; n += 1) limit.take(`new ${n}`);
  assert.notEqual(limit.take('owes'), undefined);
});
