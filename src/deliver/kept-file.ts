import { asFault, type Fault } from '../fault/fault.ts';
import type { AccessToken } from '../token/secret.ts';
import { type Epoch, type Millis, millis, minutes, seconds } from '../token/time.ts';
import type { AttachedEnd, RunAttached } from '../world/attached-process.ts';
import type { World } from '../world/world.ts';
import { removeTokenFile } from './delivered-file.ts';
import { privateFileRewrite } from './leftovers.ts';
import { privateFile } from './private-file.ts';
import { type TokenFile, writeTokenFile } from './token-file.ts';

export interface FreshToken {
  readonly token: AccessToken;
  readonly expiresAt: Epoch;
}

export interface KeptRun {
  readonly world: World;
  /** Gives a token that lives at least so long, renewing it if needed; a Fault when there is none. */
  readonly freshToken: (minLifetime: Millis) => Promise<FreshToken>;
  readonly run: RunAttached;
  /** The command, which finds its token by BEARER_TOKEN_FILE. */
  readonly argv: readonly string[];
  /** What the command's token shall have left at any time. Unless told: ten minutes, or a third of a shorter life. */
  readonly minLifetime?: Millis;
  /** Told once per change: that the token could not be renewed, and that it could again. */
  readonly warn: (sentence: string) => Promise<void>;
}

const usualLead = minutes(10);
/** What the first token must have left if nothing is asked for; it is renewed early then. */
const firstMinimum = minutes(1);
const longestSleep = minutes(1);
const firstRetry = seconds(5);

/**
 * Runs a command with a token in a private file that is replaced before the token runs out, and removed when the command ends.
 * A renewal that fails does not disturb the command. Throws when there is no first token, and then starts nothing.
 */
export async function runWithToken(kept: KeptRun): Promise<AttachedEnd> {
  const { world } = kept;
  const first = await kept.freshToken(kept.minLifetime ?? firstMinimum);
  const file = await privateFile(world);
  await writeTokenFile(world, file, first.token);
  const ended = new AbortController();
  const keeping = keepFresh(kept, file, first, ended.signal);
  try {
    return await kept.run({ argv: kept.argv, env: environment(world, file.path) });
  } finally {
    ended.abort();
    await keeping;
    await removeTokenFile(world, file).catch((thrown) => kept.warn(asFault(thrown, 'the token file stays').message));
  }
}

/** A token in the environment would win over the file by the rules of discovery, and cannot be renewed. */
function environment(world: World, path: string): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(world.env)) {
    if (value !== undefined && name !== 'BEARER_TOKEN') env[name] = value;
  }
  return { ...env, BEARER_TOKEN_FILE: path };
}

/** Resolves when the signal has fired; never rejects. */
async function keepFresh(kept: KeptRun, file: TokenFile, first: FreshToken, ended: AbortSignal): Promise<void> {
  const { clock } = kept.world;
  let plan = planFor(first, kept, clock.now());
  let trouble: Fault | undefined;
  for (let failures = 0; await waitUntil(kept.world, plan.renewAt, ended); ) {
    try {
      const next = await kept.freshToken(plan.minLifetime);
      if (ended.aborted) return;
      await writeTokenFile(kept.world, file, next.token);
      if (trouble !== undefined) await kept.warn('the token is fresh again');
      trouble = undefined;
      failures = 0;
      plan = planFor(next, kept, clock.now());
    } catch (thrown) {
      const fault = asFault(thrown, 'the token could not be renewed');
      const changed = fault.code !== trouble?.code || fault.message !== trouble.message;
      trouble = fault;
      if (changed && !ended.aborted) await kept.warn(`the token could not be renewed, trying on: ${fault.message}`);
      plan = { ...plan, renewAt: (clock.now() + backoff(failures, kept.world)) as Epoch };
      failures += 1;
    }
  }
}

interface Plan {
  readonly renewAt: Epoch;
  /** What is asked for then: more than the token at hand has left. */
  readonly minLifetime: Millis;
}

/** Renewed when the minimum is all that is left; never in a hot loop, however short the life, nor later than a sweep allows. */
function planFor({ expiresAt }: FreshToken, kept: KeptRun, now: Epoch): Plan {
  const left = Math.max(0, expiresAt - now);
  const lead = kept.minLifetime ?? Math.min(usualLead, left / 3);
  const soonest = Math.max(seconds(1), Math.min(longestSleep, left / 10));
  const due = Math.min(expiresAt - lead, now + privateFileRewrite);
  return { renewAt: Math.max(due, now + soonest) as Epoch, minLifetime: millis(lead + seconds(1)) };
}

/** Half to all of 5 s, 10 s, 20 s, … up to a minute. */
function backoff(failures: number, world: World): number {
  const cap = Math.min(longestSleep, firstRetry * 2 ** Math.min(failures, 10));
  return cap * (0.5 + world.random.unit() / 2);
}

/** In short sleeps, so that a suspended machine or a set clock is noticed. False when the command has ended. */
async function waitUntil({ clock }: World, point: Epoch, ended: AbortSignal): Promise<boolean> {
  while (!ended.aborted) {
    const left = point - clock.now();
    if (left <= 0) return true;
    try {
      await clock.sleep(millis(Math.min(left, longestSleep)), ended);
    } catch {
      return false;
    }
  }
  return false;
}
