import { type ExitCode, exit, faultCodes, worstExit } from '../fault/codes.ts';
import { counted, span } from '../observe/printable.ts';
import type { Engine } from '../renew/engine.ts';
import { type Judged, judgeAll, type PassReport, runPass } from '../renew/pass.ts';
import type { Trouble } from '../store/records.ts';
import type { WishName } from '../token/names.ts';
import { between, type Epoch } from '../token/time.ts';
import { wishNames } from './arguments.ts';
import type { Context } from './context.ts';
import { JournalHeads } from './journal-heads.ts';
import { openEngine } from './open-engine.ts';
import { stopSignals } from './stop-signal.ts';
import { notifierFor, tellPeople } from './tell-people.ts';
import { hasErrors } from './usable-config.ts';

export interface PassWish {
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** `tokeep renew`: one pass. Each renewal is told by the log as it happens; the end is a summary and the worst exit code. */
export async function renew(context: Context, named: readonly string[], wish: PassWish): Promise<ExitCode> {
  const names = wishNames(await context.config(), named);
  const engine = await openEngine(context, { absent: named.length === 0 && !wish.dryRun ? 'park' : 'keep' });
  const mode = wish.force ? 'forced' : 'pass';
  if (wish.dryRun) return await tellDue(context, await judgeAll(engine, { mode }, names));

  const { stderr } = context.io;
  const told = new Set<WishName>();
  let ended = 0;
  const report = await runPass(engine, {
    names,
    mode,
    // What is under way is brought to its end: an answer may hold the successor of a refresh token.
    signals: { waiting: context.signal, request: stopSignals().hurry },
    onReport: (job) => {
      ended += 1;
      if (job.fault !== undefined && !job.waits) told.add(job.wish.name);
      if (!context.options.quiet) stderr.transient(`${ended} done …`);
    },
  });
  stderr.transient('');
  const { world, log } = context;
  await tellPeople(world, engine.config, engine.ports.store, notifierFor(world, engine.config, log));
  if (context.options.verbose) await new JournalHeads(context.ownIssuers, world.clock, log).end();
  return await summary(context, engine, { names, told, report });
}

async function tellDue(context: Context, judged: readonly Judged[]): Promise<ExitCode> {
  if (context.options.json) {
    await context.printJson(
      judged.map(({ name, verdict }) => ({ name, verdict: verdict.kind, because: verdict.because })),
    );
    return exit.fine;
  }
  const due = judged.filter(({ verdict }) => verdict.kind === 'due');
  for (const { name, verdict } of due) await context.print(`${name}: ${verdict.because}`);
  await context.say(`${due.length} of ${counted(judged.length, 'token')} would be renewed`);
  return exit.fine;
}

interface Passed {
  readonly names: readonly WishName[];
  /** Wishes whose failure the log has just told. */
  readonly told: ReadonlySet<WishName>;
  readonly report: PassReport;
}

async function summary(context: Context, engine: Engine, { names, told, report }: Passed): Promise<ExitCode> {
  const records = await engine.ports.store.wishes(names);
  const troubled = records.flatMap(({ state, name, trouble }) =>
    state === 'kept' && trouble ? [{ name, trouble }] : [],
  );
  const code = worstExit([
    // A section that is left out is a token that is not kept; whoever asked for others by name need not hear of it.
    ...(hasErrors(engine.config) && names.length === engine.config.wishes.size ? [exit.configuration] : []),
    ...report.faults.map((fault) => fault.exit),
    ...troubled.map(({ trouble }) => faultCodes[trouble.code].exit),
  ]);
  const { looked, due, renewed, elsewhere, undelivered } = report;
  if (context.options.json) {
    const troubles = troubled.map(({ name, trouble }) => ({ name, code: trouble.code, sentence: trouble.sentence }));
    await context.printJson({ looked, due, renewed, undelivered, elsewhere, troubles, exit: code });
    return code;
  }
  const now = context.world.clock.now();
  const waiting = troubled.filter(({ name }) => !told.has(name));
  for (const { name, trouble } of waiting.slice(0, listed)) await context.warn(waitingLine(name, trouble, now));
  if (waiting.length > listed) await context.warn(`... and ${waiting.length - listed} more, see: tokeep status`);
  const others = elsewhere.length === 0 ? '' : `; ${elsewhere.length} in the hands of another tokeep`;
  const failed = [
    ...(undelivered === 0 ? [] : [`${undelivered} not delivered`]),
    ...(troubled.length === 0 ? [] : [`${troubled.length} in trouble`]),
  ];
  const wrong = failed.length === 0 ? '' : `; ${failed.join(', ')}, see: tokeep status`;
  await context.say(`${renewed} renewed of ${due} due, ${looked} looked at${others}${wrong}`);
  return code;
}

/** Of the wishes that were not tried now, since their next try is later or a person comes first. */
const listed = 10;

function waitingLine(name: WishName, trouble: Trouble, now: Epoch): string {
  const next =
    trouble.nextTry === null
      ? (trouble.hint ?? 'waits for a person')
      : `next try in ${span(between(now, trouble.nextTry))}`;
  return `tokeep: ${name}: ${trouble.sentence}; ${next}`;
}
