import { Fault } from '../fault/fault.ts';
import type { Epoch } from '../token/time.ts';
import { addKey, takeKeysTurn } from './add-key.ts';
import type { AuditEvent } from './audit.ts';
import type { OpenIssuer } from './issuer.ts';
import { makeKeyPair } from './key-pair.ts';
import { type KeyRecord, readKeys, updateKey } from './key-table.ts';
import { loadPrivateKey, removeKeyFile } from './private-keys.ts';
import { afterStep, type NextStep, nextStep, type RotationStep, urgentStep } from './rotation.ts';
import type { SigningKey } from './signing-key.ts';
import { unpublishedRemark } from './unpublished-key.ts';

export interface RotationWish {
  /** Do the urgent step, whether or not its time has come. Needs a reason, which goes into the audit log. */
  readonly now: boolean;
  /** With `now`: the kid of a key to remove instead, which signs no more or not yet. */
  readonly remove?: string | undefined;
  readonly reason?: string;
  readonly by: string;
}

export interface RotationReport {
  readonly done: RotationStep;
  /** The key that was made, now signs, or was removed. */
  readonly kid: string;
  /** What is published has to change with it. */
  readonly publish: boolean;
  readonly keys: readonly SigningKey[];
  readonly next: NextStep;
}

type Change = Exclude<RotationStep, { kind: 'make' }>;

/**
 * Does one step of the rotation. Throws Fault `rotation-early` when no step is due, with the time when one is; `usage` for `now`
 * without a reason, and for a key that cannot be removed; `signing-key-unusable` when the key that is to sign cannot.
 */
export async function rotateKeys(issuer: OpenIssuer, wish: RotationWish): Promise<RotationReport> {
  if (wish.now && (wish.reason ?? '').trim() === '') {
    throw new Fault('usage', 'a rotation before its time needs a reason, which goes into the audit log', {
      hint: 'tokeep issuer rotate --now --reason "the key was on a stolen laptop"',
    });
  }
  const now = issuer.keyPlace.world.clock.now();
  await removeLeftFiles(issuer);
  const step = stepToDo(issuer, await issuer.keys(), wish, now);
  const kid = step.kind === 'make' ? await make(issuer, wish, now) : await change(issuer, step, wish, now);
  issuer.lookAgain();
  const keys = await issuer.keys();
  return {
    done: step,
    kid,
    publish: step.kind !== 'promote' || keys.some((key) => unpublishedRemark(key) !== undefined),
    keys,
    next: nextStep(keys, issuer.settings.rotation, now),
  };
}

function stepToDo(issuer: OpenIssuer, keys: readonly SigningKey[], wish: RotationWish, now: Epoch): RotationStep {
  if (wish.now) return wish.remove === undefined ? urgentStep(keys) : removalOf(keys, wish.remove);
  const next = nextStep(keys, issuer.settings.rotation, now);
  if (next.kind !== 'wait') return next;
  const what = next.breaks ? 'the next step of the rotation would break verifiers' : 'no step of the rotation is due';
  throw new Fault('rotation-early', `${what}: ${next.why}`, {
    hint:
      next.until === undefined
        ? 'tokeep issuer publish OUTDIR   # or, without waiting: tokeep issuer rotate --now --reason TEXT'
        : 'tokeep issuer rotate --now --reason TEXT   # does it all the same, and writes the reason into the audit log',
    ...(next.until === undefined ? {} : { retryAt: next.until }),
  });
}

function removalOf(keys: readonly SigningKey[], kid: string): RotationStep {
  const key = keys.find((one) => one.kid === kid);
  if (key?.state === 'signing') {
    throw new Fault('usage', `the key ${kid} signs, and cannot be removed before another one does`, {
      hint: 'tokeep issuer rotate --now --reason TEXT   # makes a successor, then lets it sign, then removes this one',
    });
  }
  if (key !== undefined) return { kind: 'remove', kid };
  throw new Fault('usage', `there is no key ${kid} to remove`, { hint: 'tokeep issuer list   # shows the keys' });
}

async function make(issuer: OpenIssuer, wish: RotationWish, now: Epoch): Promise<string> {
  const keys = await issuer.keys();
  const algorithm = keys.find(({ state }) => state === 'signing')?.algorithm ?? keys.at(-1)?.algorithm ?? 'ES256';
  const key = await addKey(issuer, {
    pair: await makeKeyPair(algorithm),
    origin: 'made',
    state: 'next',
    home: issuer.settings.keys,
    now,
    published: false,
    by: wish.by,
    reason: wish.reason,
  });
  return key.kid;
}

async function change(issuer: OpenIssuer, step: Change, wish: RotationWish, now: Epoch): Promise<string> {
  if (step.kind === 'promote') await refuseUnusable(issuer, step.kid);
  const events: readonly (readonly [AuditEvent, string])[] =
    step.kind === 'remove'
      ? [['key-removed', step.kid]]
      : [...(step.retires === undefined ? [] : [['key-retired', step.retires] as const]), ['key-signing', step.kid]];
  const before = await issuer.database.write(async (session) => {
    await takeKeysTurn(session, issuer);
    const records = await readKeys(session, issuer.database.sql.forUpdate);
    const keys = records.map(({ key }) => key).filter(({ state }) => state !== 'removed');
    if (JSON.stringify(stepToDo(issuer, keys, wish, now)) !== JSON.stringify(step)) throw takenOver();
    // The one that retires goes first: there is never a moment with two that sign.
    const changed = afterStep(keys, step, now, wish.now).filter((key) => !keys.includes(key));
    for (const key of changed.toSorted((one) => (one.state === 'retired' ? -1 : 1))) await updateKey(session, key);
    for (const [event, kid] of events) {
      const { by, reason } = wish;
      await issuer.audit.appendIn(session, { at: now, event, by, kid, ...(reason === undefined ? {} : { reason }) });
    }
    return keys;
  });
  const removed = step.kind === 'remove' ? before.find(({ kid }) => kid === step.kid) : undefined;
  if (removed !== undefined) await removeKeyFile(issuer.keyPlace, removed);
  return step.kid;
}

/** A program that was ended between record and file has left the private half of a key that is said to be removed. */
async function removeLeftFiles(issuer: OpenIssuer): Promise<void> {
  const keys = await issuer.keys({ removed: true });
  for (const key of keys) if (key.state === 'removed') await removeKeyFile(issuer.keyPlace, key);
}

/** Found out before it is the one that everything depends on. */
async function refuseUnusable(issuer: OpenIssuer, kid: string): Promise<void> {
  const record = (await readKeys(issuer.database)).find((one: KeyRecord) => one.key.kid === kid);
  if (record !== undefined) await loadPrivateKey(issuer.keyPlace, record);
}

const takenOver = (): Fault =>
  new Fault('state-conflict', 'somebody else did a step of the rotation at the same moment', {
    hint: 'tokeep issuer list   # shows how the keys are now',
  });

/** Notes that verifiers can fetch these keys from now on; those that were published before keep their time. Says which were new. */
export async function markPublished(
  issuer: OpenIssuer,
  kids: readonly string[],
  by: string,
): Promise<readonly string[]> {
  const isNew = (key: SigningKey) => key.publishedAt === undefined && key.state !== 'removed' && kids.includes(key.kid);
  if (!(await issuer.keys()).some(isNew)) return [];
  const now = issuer.keyPlace.world.clock.now();
  const marked = await issuer.database.write(async (session) => {
    await takeKeysTurn(session, issuer);
    const keys = (await readKeys(session, issuer.database.sql.forUpdate)).map(({ key }) => key).filter(isNew);
    for (const key of keys) {
      await updateKey(session, { ...key, publishedAt: now });
      await issuer.audit.appendIn(session, { at: now, event: 'key-published', by, kid: key.kid });
    }
    return keys.map(({ kid }) => kid);
  });
  issuer.lookAgain();
  return marked;
}
