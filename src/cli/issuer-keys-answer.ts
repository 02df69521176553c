import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { type RotationReport, rotateKeys } from '../mint/rotate-keys.ts';
import { type NextStep, nextStep, type RotationStep } from '../mint/rotation.ts';
import type { SigningKey } from '../mint/signing-key.ts';
import { unpublishedRemark } from '../mint/unpublished-key.ts';
import { span, timestamp } from '../observe/printable.ts';
import { between, type Epoch } from '../token/time.ts';
import type { Context } from './context.ts';
import { whoAsks, withIssuer } from './issuer-place.ts';

export interface RotateOptions {
  readonly dir?: string;
  readonly now?: true;
  readonly reason?: string;
  readonly remove?: string;
  readonly ifDue?: true;
}

/** `tokeep issuer rotate`: one step, and what comes next. */
export async function rotate(context: Context, options: RotateOptions): Promise<ExitCode> {
  const { now = false, reason, remove } = options;
  if (now && options.ifDue === true) {
    throw new Fault('usage', '--now does a step before its time, and --if-due waits for it: give one of them');
  }
  if (reason !== undefined && !now) throw new Fault('usage', '--reason goes with --now');
  if (remove !== undefined && !now) throw new Fault('usage', '--remove goes with --now');
  const by = `rotate ${whoAsks(context.world)}`;
  return await withIssuer(context, options.dir, async (issuer) => {
    let report: RotationReport;
    try {
      report = await rotateKeys(issuer, { now, by, remove, ...(reason === undefined ? {} : { reason }) });
    } catch (thrown) {
      if (options.ifDue !== true || !(thrown instanceof Fault) || thrown.code !== 'rotation-early') throw thrown;
      await context.say(`nothing to do yet: ${thrown.message}`);
      const keys = await issuer.keys();
      const next = nextStep(keys, issuer.settings.rotation, context.world.clock.now());
      if (context.options.json) await printReport(context, { done: null, kid: null, publish: false, keys, next });
      return exit.fine;
    }
    for (const remark of remarksOn(report.keys)) await context.warn(remark);
    if (context.options.json) {
      await printReport(context, report);
      return exit.fine;
    }
    await context.print(doneSentence(report.done, report.kid));
    if (report.publish) {
      await context.print(
        'publish now, so that services see it: tokeep issuer publish OUTDIR (`tokeep issuer serve` does it by itself)',
      );
    }
    await context.print(nextSentence(report.next, context.world.clock.now()));
    return exit.fine;
  });
}

type Report = Pick<RotationReport, 'publish' | 'keys' | 'next'> & {
  readonly done: RotationStep | null;
  readonly kid: string | null;
};

const printReport = (context: Context, report: Report): Promise<void> =>
  context.printJson({
    ...report,
    keys: report.keys.map(facts),
    next: nextFacts(report.next),
    remarks: remarksOn(report.keys),
  });

const remarksOn = (keys: readonly SigningKey[]): readonly string[] =>
  keys.map(unpublishedRemark).filter((remark) => remark !== undefined);

/** `tokeep issuer list`. */
export async function listKeys(context: Context, dir: string | undefined): Promise<ExitCode> {
  return await withIssuer(context, dir, async (issuer) => {
    const { settings, directory } = issuer;
    const keys = await issuer.keys();
    const now = context.world.clock.now();
    const next = nextStep(keys, settings.rotation, now);
    const remarks = remarksOn(keys);
    for (const remark of remarks) await context.warn(remark);
    if (context.options.json) {
      const { url, profile } = settings;
      await context.printJson({
        issuer: url,
        profile,
        directory,
        keys: keys.map(facts),
        next: nextFacts(next),
        remarks,
      });
      return exit.fine;
    }
    await context.print(`${settings.url} (${settings.profile}) in ${directory}`);
    for (const key of keys) for (const line of linesOf(key)) await context.print(line);
    await context.print(nextSentence(next, now));
    return exit.fine;
  });
}

/** A kid is 43 characters, and is to be copied: a key has lines of its own, since no table with it fits a terminal. */
function linesOf(key: SigningKey): readonly string[] {
  const { kid, state, algorithm, home, publishedAt, lastExpiry } = key;
  const published = publishedAt === undefined ? 'never published' : `published ${timestamp(publishedAt)}`;
  return [
    `${kid}  ${state}  ${algorithm}  ${home.kind}`,
    `  ${state} since ${timestamp(sinceOf(key))}, ${published}`,
    ...(lastExpiry === undefined ? [] : [`  its tokens have ended by ${timestamp(lastExpiry)}`]),
    ...(home.kind === 'file' ? [`  in ${home.path}`] : []),
  ];
}

function sinceOf({ state, createdAt, signsSince, retiredAt, removedAt }: SigningKey): Epoch {
  const since = { next: createdAt, signing: signsSince, retired: retiredAt, removed: removedAt }[state];
  return since ?? createdAt;
}

function facts(key: SigningKey): object {
  const time = (at: Epoch | undefined) => (at === undefined ? null : timestamp(at));
  const { kid, algorithm, state, origin, home, createdAt, publishedAt, signsSince, retiredAt, lastExpiry } = key;
  return {
    ...{ kid, algorithm, state, origin, home },
    created: time(createdAt),
    published: time(publishedAt),
    signsSince: time(signsSince),
    retired: time(retiredAt),
    lastExpiry: time(lastExpiry),
  };
}

const nextFacts = (next: NextStep): object =>
  next.kind === 'wait'
    ? { step: next.would, due: next.until === undefined ? null : timestamp(next.until), why: next.why }
    : { step: next, due: 'now' };

function doneSentence(step: RotationStep, kid: string): string {
  switch (step.kind) {
    case 'make':
      return `made the key ${kid}, which is to sign next`;
    case 'promote':
      return step.retires === undefined ? `${kid} signs now` : `${kid} signs now, and ${step.retires} signs no more`;
    case 'remove':
      return `removed the key ${kid}; its private half is gone`;
  }
}

const willDo: Readonly<Record<RotationStep['kind'], string>> = {
  make: 'make a key that is to sign next',
  promote: 'let the next key sign',
  remove: 'remove the retired key',
};

function nextSentence(next: NextStep, now: Epoch): string {
  if (next.kind !== 'wait') return `next: ${willDo[next.kind]}; its time has come: tokeep issuer rotate`;
  const what = `next: ${willDo[next.would.kind]}`;
  if (next.until === undefined) return `${what}; it waits: ${next.why}: tokeep issuer publish OUTDIR`;
  return `${what}, in ${span(between(now, next.until))}: ${next.why}`;
}
