import type { Wish } from '../config/config.ts';
import { exit, faultCodes } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import type { TokenFacts, WishRecord } from '../store/records.ts';
import type { Audience, Scope } from '../token/names.ts';
import type { AccessToken } from '../token/secret.ts';
import { after, between, type Epoch, type Millis, millis, minutes, seconds } from '../token/time.ts';
import { accept } from './acceptance.ts';
import { ask } from './ask.ts';
import { type Engine, wishNamed } from './engine.ts';
import { accountOf, factsOf, requestFor } from './job.ts';
import type { Signals } from './ports.ts';

export interface GetOptions {
  /** What must be left of the token; default one minute. */
  readonly minLifetime?: Millis;
  /** Narrow the token to this audience or these scopes: a token of its own, which is not kept. */
  readonly audience?: readonly Audience[];
  readonly scope?: readonly Scope[];
  readonly signals: Signals;
}

export interface GotToken {
  readonly token: AccessToken;
  readonly expiresAt: Epoch;
}

/** How long another tokeep that holds the wish is waited for. */
const patience = minutes(1);
const lookAgain = millis(250);

/**
 * A token of the wish with at least `minLifetime` left, renewed first if need be.
 * @throws Fault `token-none`, with what stands in the way, when there is none; `life-too-short`; `usage` for an unknown name
 */
export async function getToken(engine: Engine, name: string, options: GetOptions): Promise<GotToken> {
  const wish = wishNamed(engine.config, name);
  if (options.audience !== undefined || options.scope !== undefined) return narrowed(engine, wish, options);
  const { clock } = engine.ports.world;
  const needs = options.minLifetime ?? minutes(1);
  const until = after(clock.now(), patience);
  for (;;) {
    const record = await recordOf(engine, wish);
    if (enough(record, wish, needs, clock.now())) return stored(engine, record);
    refuseHopeless(record, clock.now());
    refuseTooLong(record, wish, needs, clock.now());
    const [claim] = await engine.claim(1, [wish.name]);
    if (claim !== undefined && enough(claim, wish, needs, clock.now())) {
      // Somebody else renewed it between the two lines above.
      await engine.ports.store.release([claim]);
      return stored(engine, claim);
    }
    if (claim !== undefined) return renewedNow(engine, wish, claim, needs, options.signals);
    if (clock.now() >= until)
      throw new Fault('token-none', `${wish.name} is being renewed by another tokeep, which is taking long`);
    await clock.sleep(lookAgain, options.signals.waiting);
  }
}

/**
 * A definite refusal is looked at again once an hour, and a time that the issuer named is kept, however often `get` is called in
 * a loop; `renew --force` is for a person who has mended something.
 */
function refuseHopeless(record: WishRecord | undefined, now: Epoch): void {
  const trouble = record?.trouble ?? null;
  if (trouble === null || trouble.nextTry === null || trouble.nextTry <= now) return;
  const asked = trouble.retryAfter !== undefined && trouble.retryAfter > now;
  if (faultCodes[trouble.code].exit !== exit.person && !asked) return;
  throw new Fault(trouble.code, trouble.sentence, {
    hint: `${trouble.hint === undefined ? '' : `${trouble.hint}; `}then: tokeep renew --force ${record?.name ?? ''}`,
    retryAt: trouble.nextTry,
  });
}

/** A token of this minute whose whole life is shorter says what the next one would: `get` in a loop spends nothing on it. */
function refuseTooLong(record: WishRecord | undefined, wish: Wish, needs: Millis, now: Epoch): void {
  const token = record?.token ?? null;
  if (token === null || record?.fingerprint !== wish.fingerprint) return;
  const life = between(token.issuedAt, token.expiresAt);
  const age = between(token.issuedAt, now);
  if (life < needs && age >= 0 && age < minutes(1)) throw livesShorter(`a token of ${wish.name}`, life, needs);
}

function livesShorter(what: string, life: Millis, needs: Millis): Fault {
  const sentence = `${what} lives ${Math.floor(life / 1000)} s, and ${needs / 1000} s were asked for`;
  return new Fault('life-too-short', sentence, { hint: 'ask for less with --min-lifetime' });
}

type WithToken = WishRecord & { readonly token: NonNullable<WishRecord['token']> };

function enough(record: WishRecord | undefined, wish: Wish, needs: Millis, now: Epoch): record is WithToken {
  if (record === undefined || record.token === null || record.fingerprint !== wish.fingerprint) return false;
  return between(now, record.token.expiresAt) >= needs;
}

async function recordOf(engine: Engine, wish: Wish): Promise<WishRecord | undefined> {
  return (await engine.ports.store.wishes([wish.name]))[0];
}

async function stored(engine: Engine, record: WithToken): Promise<GotToken> {
  const token = await engine.ports.store.token(record.name);
  if (token === undefined) throw new Fault('state-broken', `the token of ${record.name} is missing from the state`);
  return { token, expiresAt: record.token.expiresAt };
}

async function renewedNow(
  engine: Engine,
  wish: Wish,
  claim: WishRecord,
  needs: Millis,
  signals: Signals,
): Promise<GotToken> {
  const report = await engine.run(claim, { mode: 'forced' }, signals);
  const now = engine.ports.world.clock.now();
  const record = await recordOf(engine, wish);
  // A fresh token that lives shorter than asked for is the best there is, and the caller is told rather than served quietly.
  if (enough(record, wish, needs, now)) return stored(engine, record);
  const left = record?.token == null ? undefined : between(now, record.token.expiresAt);
  if (report?.fault !== undefined) throw report.fault;
  if (left === undefined || left <= 0) throw new Fault('token-none', `there is no usable token of ${wish.name}`);
  throw livesShorter(`a new token of ${wish.name}`, left, needs);
}

/** Whoever narrows a token says what it is for: less than that is of no use to them, and no record would tell of it. */
function lacking(remark: Fault | undefined, offered: TokenFacts, { scope }: GetOptions): string | undefined {
  if (remark !== undefined) return remark.message;
  // A JWT names its issuer, and its scopes where it has any.
  const bare = offered.issuer !== undefined && offered.scope.length === 0;
  return bare && scope !== undefined ? 'the issuer gave a token without any scope' : undefined;
}

/** One request of its own, judged like any other, and neither kept nor delivered. */
async function narrowed(engine: Engine, wish: Wish, options: GetOptions): Promise<GotToken> {
  const { ports } = engine;
  const account = accountOf(ports, wish);
  const asFor: Wish = {
    ...wish,
    audience: options.audience === undefined ? wish.audience : { audiences: options.audience },
    scope: options.scope === undefined ? wish.scope : { kind: 'scopes', scopes: options.scope },
  };
  const asked = await ask(ports, account, {
    request: await requestFor(ports, account, asFor),
    signals: options.signals,
  });
  if (asked.kind !== 'token') throw asked.fault;
  const offered = factsOf(asked);
  const now = ports.world.clock.now();
  const { issuerOfCredential } = asked;
  const acceptance = accept({ wish: asFor, account, issuerOfCredential, present: null, offered, now });
  if (acceptance.kind === 'rejected') throw acceptance.fault;
  const lacks = lacking(acceptance.remark, offered, options);
  if (lacks !== undefined) {
    const hint = "ask for what the account may have; its scopes are the issuer's to give";
    throw new Fault('request-refused', lacks, { hint });
  }
  const needs = options.minLifetime ?? seconds(1);
  const left = between(now, offered.expiresAt);
  if (left < needs) throw livesShorter(`the narrowed token of ${wish.name}`, left, needs);
  return { token: asked.obtained.token, expiresAt: offered.expiresAt };
}
