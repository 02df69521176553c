import assert from 'node:assert/strict';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RefreshTokenAccount } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { keepLogin } from '../../src/renew/keep-login.ts';
import { openSpool } from '../../src/store/open-spool.ts';
import { openSealer } from '../../src/store/seal-key.ts';
import type { AccountName } from '../../src/token/names.ts';
import { Secret } from '../../src/token/secret.ts';
import { hours, minutes } from '../../src/token/time.ts';
import { hostileIssuer, json } from '../peers/hostile-issuer.ts';
import { DrivenDaemon } from './driven-daemon.ts';
import { ModelIssuer } from './model-issuer.ts';
import { PacedClock } from './paced-clock.ts';
import { oneLogin, setting } from './setting.ts';

/** Turns that half an hour may take: one a minute, and some for what happens. */
const fewTurns = 200;

async function running(clock: PacedClock) {
  const stack = new AsyncDisposableStack();
  const issuer = stack.use(await hostileIssuer());
  const model = new ModelIssuer(clock);
  issuer.always(model.step);
  const text = oneLogin(issuer.issuer);
  const here = stack.use(await setting({ config: text, world: { clock } }));
  const file = join(here.dir, 'tokeep.yaml');
  const write = (changed: string) => writeFile(file, changed.replaceAll('DIR', here.dir));
  return { stack, here, model, text, file, write, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('a failed delivery to a target that is configured no more keeps nobody awake', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  const { here } = run;
  await here.logIn('robot', 'family-1');
  // A directory where the file should go.
  await mkdir(join(here.dir, 'token'));
  const driven = new DrivenDaemon(here.engine, clock);
  await driven.pass(minutes(1));
  assert.equal((await here.status()).wishes[0]?.targets[0]?.state, 'failing');
  await run.write(run.text.replace('DIR/token', 'DIR/elsewhere'));
  await driven.daemon.reload(() => loadConfig(here.world, run.file));
  const before = driven.turns;
  await driven.pass(minutes(30));
  assert.ok(driven.turns - before < fewTurns, `${driven.turns - before} turns in half an hour`);
  await driven[Symbol.asyncDispose]();
  assert.notEqual(await here.delivered('elsewhere'), undefined);
});

test('a failed delivery of a token that has run out keeps nobody awake, and is made up for by the next token', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  const { here, stack, model } = run;
  await here.logIn('robot', 'family-1');
  await mkdir(join(here.dir, 'token'));
  model.life = 120;
  const driven = stack.use(new DrivenDaemon(here.engine, clock));
  await driven.pass(minutes(1));
  model.trouble = json(503, {});
  await driven.pass(minutes(5));
  const before = driven.turns;
  await driven.pass(minutes(30));
  assert.ok(driven.turns - before < fewTurns, `${driven.turns - before} turns in half an hour`);
  await rmdir(join(here.dir, 'token'));
  model.trouble = undefined;
  await driven.pass(hours(1));
  assert.notEqual(await here.delivered('token'), undefined);
});

test('a wish that another configuration brought into the same state is left to its renewer, without a loop', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  const { here, stack, file } = run;
  await here.logIn('robot', 'family-1');
  const driven = stack.use(new DrivenDaemon(here.engine, clock));
  await driven.pass(minutes(1));
  // `tokeep renew` after the configuration was changed, before the daemon was told to read it again.
  await run.write(run.text.replace('tokens:', 'tokens:\n  another:\n    account: robot\n    scope: [storage.read:/]'));
  const { wishes } = await loadConfig(here.world, file);
  const seeds = [...wishes.values()].map(({ name, account, fingerprint }) => ({ name, account, fingerprint }));
  await here.store.register(seeds, clock.now());
  const before = driven.turns;
  await driven.pass(minutes(30));
  assert.ok(driven.turns - before < fewTurns, `${driven.turns - before} turns in half an hour`);
  await driven.daemon.reload(() => loadConfig(here.world, file));
  await driven.pass(minutes(2));
  assert.notEqual((await here.wish('another')).token, null);
});

test('after a new login the daemon renews at once, however far away the next try was', async () => {
  const clock = new PacedClock();
  await using run = await running(clock);
  const { here, stack } = run;
  const driven = stack.use(new DrivenDaemon(here.engine, clock));
  await driven.pass(minutes(1));
  assert.equal((await here.wish('monitoring')).trouble?.code, 'login-needed');
  const account = here.config.accounts.get('robot' as AccountName) as RefreshTokenAccount;
  const sealer = await openSealer(here.world, { keyFile: join(here.dir, 'seal.key') });
  const spool = openSpool(here.world, { dir: join(here.dir, 'state', 'spool'), sealer });
  const ports = { world: here.world, store: here.store, spool, signal: new AbortController().signal };
  await keepLogin(ports, account, {
    credential: new Secret('refresh_token', 'family-1'),
    expiresIn: undefined,
  } as Parameters<typeof keepLogin>[2]);
  await driven.pass(minutes(2));
  assert.notEqual(await here.delivered('token'), undefined);
});
