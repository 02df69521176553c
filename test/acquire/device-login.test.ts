import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deviceLogin, parseDeviceCode } from '../../src/acquire/device-login.ts';
import type { RawAnswer } from '../../src/acquire/grant.ts';
import type { Gain, LoginEvent } from '../../src/acquire/login-flow.ts';
import { fetchMetadata } from '../../src/acquire/metadata.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { epoch, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { approve } from '../peers/approve.ts';
import { person, startIssuer } from '../peers/start-issuer.ts';
import { quickWorld, type Scripted, scriptedIssuer, termsFor } from './login-peer.ts';

const pending: Scripted = { status: 400, json: { error: 'authorization_pending' } };
const slowDown: Scripted = { status: 400, json: { error: 'slow_down' } };
const success: Scripted = { json: { access_token: 'at-canary', refresh_token: 'rt-canary', token_type: 'bearer' } };

const code = (changes: Record<string, unknown> = {}): Scripted => ({
  json: {
    device_code: 'dc-canary',
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://issuer.test/device',
    verification_uri_complete: 'https://issuer.test/device?user_code=WDJB-MJHT',
    expires_in: 600,
    interval: 5,
    ...changes,
  },
});

async function scriptedLogin(
  device: Scripted,
  polls: Scripted[],
  keep: (gain: Gain) => Promise<void> = async () => {},
) {
  await using issuer = await scriptedIssuer({ '/device': [device], '/token': polls });
  const world = quickWorld();
  const events: LoginEvent[] = [];
  const terms = { ...termsFor(issuer.origin), deviceEndpoint: `${issuer.origin}/device` };
  const outcome = await deviceLogin(world, terms, (event) => events.push(event), keep);
  await world.http.close();
  return { outcome, slept: world.slept, events, asked: issuer.asked };
}

test('a person approves the code on the pages of a real issuer, and the refresh token is kept', async () => {
  await using issuer = await startIssuer();
  const world = realWorld();
  const found = await fetchMetadata(world, { issuer: issuer.issuer as IssuerUrl, timeout: seconds(5) });
  assert.equal(found.kind, 'metadata');
  const { metadata } = found as Extract<typeof found, { kind: 'metadata' }>;
  const terms = {
    ...termsFor(issuer.issuer),
    tokenEndpoint: metadata.tokenEndpoint,
    deviceEndpoint: metadata.deviceAuthorizationEndpoint!,
    clientId: person.client_id,
    auth: {
      kind: 'client_secret_basic',
      secret: new Secret('client_secret', person.client_secret!),
      encoding: 'form',
    } as const,
  };
  const kept: Gain[] = [];
  const quickly = { ...world.clock, sleep: () => world.clock.sleep(seconds(0.1)) };
  let shown: Extract<LoginEvent, { kind: 'visit' }> | undefined;
  let approved: Promise<string> | undefined;
  const outcome = await deviceLogin(
    { ...world, clock: quickly },
    terms,
    (event) => {
      if (event.kind !== 'visit') return;
      shown = event;
      approved = approve(event.complete!);
    },
    async (gain) => {
      kept.push(gain);
    },
  );
  await approved;
  await world.http.close();
  assert.equal(outcome.kind, 'logged-in');
  assert.equal(kept.length, 1);
  assert.match(kept[0]!.credential.reveal(), /.{20}/);
  assert.match(shown!.userCode, /^[A-Z]{4}-[A-Z]{4}$/);
  assert.match(shown!.qr, /█|▀|▄/);
});

test('polling waits the told interval before every question', async () => {
  const { outcome, slept } = await scriptedLogin(code({ interval: 7 }), [pending, pending, success]);
  assert.equal(outcome.kind, 'logged-in');
  assert.deepEqual(slept, [7, 7, 7]);
});

test('slow_down adds five seconds each time, for good', async () => {
  const { slept } = await scriptedLogin(code(), [slowDown, pending, slowDown, pending, success]);
  assert.deepEqual(slept, [5, 10, 10, 15, 15]);
});

test('a connection that breaks while polling is a hiccup: the wait doubles, and goes back once there is an answer', async () => {
  const { outcome, slept, events } = await scriptedLogin(code(), ['cut', 'cut', pending, success]);
  assert.equal(outcome.kind, 'logged-in');
  assert.deepEqual(slept, [5, 10, 20, 5]);
  assert.equal(events.filter((event) => event.kind === 'hiccup').length, 2);
});

test('an overloaded or broken issuer is asked again, not before its Retry-After', async () => {
  const busy: Scripted = { status: 503, headers: { 'retry-after': '90' }, json: '<html>busy</html>' };
  const { outcome, slept } = await scriptedLogin(code(), [{ status: 500, json: '<html>' }, busy, success]);
  assert.equal(outcome.kind, 'logged-in');
  assert.deepEqual(slept, [5, 10, 60, 30]);
});

test('a declined login says so and is not tried again', async () => {
  const { outcome, asked } = await scriptedLogin(code(), [{ status: 400, json: { error: 'access_denied' } }, success]);
  assert.equal(outcome.kind === 'not-logged-in' && outcome.fault.code, 'login-declined');
  assert.equal(asked.filter(({ path }) => path === '/token').length, 1);
});

test('the issuer saying expired_token ends the login', async () => {
  const { outcome } = await scriptedLogin(code(), [pending, { status: 400, json: { error: 'expired_token' } }]);
  assert.match(outcome.kind === 'not-logged-in' ? outcome.fault.message : '', /ran out before it was approved/);
});

test('the code running out ends the login even if the issuer says "pending" for ever', async () => {
  const { outcome, slept } = await scriptedLogin(code({ expires_in: 30 }), Array(50).fill(pending));
  assert.equal(outcome.kind === 'not-logged-in' && outcome.fault.code, 'login-declined');
  assert.ok(slept.length <= 6);
});

test('a code whose answer was lost on the way is told apart from a refused one', async () => {
  const { outcome } = await scriptedLogin(code(), ['cut', { status: 400, json: { error: 'invalid_grant' } }]);
  assert.match(outcome.kind === 'not-logged-in' ? outcome.fault.message : '', /was lost on the way/);
});

test('scenario 5: the refresh token of an answer with a broken rest is kept before anything is judged', async () => {
  const broken: Scripted = { json: { refresh_token: 'rt-canary', expires_in: -5, access_token: 7, token_type: null } };
  const kept: string[] = [];
  const { outcome } = await scriptedLogin(code(), [broken], async ({ credential }) => {
    kept.push(credential.reveal());
  });
  assert.equal(outcome.kind, 'logged-in');
  assert.deepEqual(kept, ['rt-canary']);
});

test('a credential that cannot be kept is no login', async () => {
  const full = scriptedLogin(code(), [success], () => Promise.reject(new Error('no space')));
  await assert.rejects(full, /no space/);
});

test('a login without a refresh token says what is missing', async () => {
  const { outcome } = await scriptedLogin(code(), [{ json: { access_token: 'at-canary', token_type: 'bearer' } }]);
  assert.match(outcome.kind === 'not-logged-in' ? (outcome.fault.hint ?? '') : '', /offline_access/);
});

test('what the issuer says about a refusal is shown in one clean line, without our device code', async () => {
  const rude = { error: 'invalid_scope', error_description: 'no\u001b[31m dc-canary\nhere' };
  const { outcome } = await scriptedLogin(code(), [{ status: 400, json: rude }]);
  const message = outcome.kind === 'not-logged-in' ? outcome.fault.message : '';
  assert.match(message, /invalid_scope/);
  assert.doesNotMatch(message, /dc-canary|\p{Cc}/u);
});

test('the audience goes out with the first request and with each question', async () => {
  await using issuer = await scriptedIssuer({ '/device': [code()], '/token': [success] });
  const world = quickWorld();
  const audience = [
    ['resource', 'https://a.test'],
    ['resource', 'https://b.test'],
  ] as const;
  const terms = { ...termsFor(issuer.origin, { audience }), deviceEndpoint: `${issuer.origin}/device` };
  await deviceLogin(
    world,
    terms,
    () => {},
    async () => {},
  );
  await world.http.close();
  for (const { form } of issuer.asked) assert.deepEqual(form.getAll('resource'), ['https://a.test', 'https://b.test']);
});

test('a broken-off login stops waiting at once', async () => {
  await using issuer = await scriptedIssuer({ '/device': [code()], '/token': [] });
  const world = realWorld();
  const stop = new AbortController();
  const terms = { ...termsFor(issuer.origin, { signal: stop.signal }), deviceEndpoint: `${issuer.origin}/device` };
  const login = deviceLogin(
    world,
    terms,
    (event) => event.kind === 'waiting' && stop.abort(),
    async () => {},
  );
  await assert.rejects(login, { code: 'login-declined', message: /broken off here/ });
  await world.http.close();
});

const raw = (body: unknown): RawAnswer => ({
  kind: 'raw',
  status: 200,
  headers: {},
  body: JSON.stringify(body),
  sentAt: epoch(0),
  receivedAt: epoch(0),
});

test('whatever lives and intervals an issuer tells, we wait at least a second and have time for two questions', () => {
  const absurd = fc.oneof(fc.double(), fc.integer(), fc.string(), fc.constant(null), fc.constant([]));
  fc.assert(
    fc.property(absurd, absurd, (expires_in, interval) => {
      const device = parseDeviceCode(
        raw({ device_code: 'd', user_code: 'U', verification_uri: 'https://i.test', expires_in, interval }),
      );
      assert.ok(device !== undefined);
      assert.ok(device.interval >= 1000 && device.interval * 2 <= device.life && device.life <= 3_600_000);
    }),
  );
});

test('pages that are not web pages, and codes that play with the terminal, are not shown', () => {
  const answer = { device_code: 'd', user_code: 'U', verification_uri: 'https://i.test' };
  assert.equal(parseDeviceCode(raw({ ...answer, verification_uri: 'javascript:alert(1)' })), undefined);
  assert.equal(parseDeviceCode(raw({ ...answer, user_code: 'A\u001b]0;' })), undefined);
  assert.equal(
    parseDeviceCode(raw({ ...answer, verification_uri_complete: 'file:///etc/passwd' }))?.complete,
    undefined,
  );
});
