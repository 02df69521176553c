import { between, type Epoch, type Millis } from '../token/time.ts';
import { type Cause, type Condition, causesOf } from './condition.ts';
import { counted, printable, span, timestamp } from './printable.ts';
import type { StatusReport, TargetStatus, WishState, WishStatus } from './status.ts';
import { userOf } from './users-turn.ts';

/** Colours, or none; the CLI decides. */
export interface StatusPaint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

export interface TableOptions {
  readonly paint: StatusPaint;
  readonly columns: number;
  /** List every wish, however many there are. */
  readonly all: boolean;
}

/** Above this the wishes are counted instead of listed; those that are not well are listed all the same. */
const listed = 40;
/** Of the followers of one cause, and of causes. */
const shownCauses = 20;

/** The report for people: first what is wrong and what to do, then the wishes. */
export function statusTable(report: StatusReport, options: TableOptions): string {
  const lines = [...conditionLines(report, options), ...wishLines(report, options), ...loginLines(report, options)];
  return `${lines.join('\n')}\n`;
}

function conditionLines(report: StatusReport, { paint }: TableOptions): string[] {
  const causes = causesOf(report.conditions);
  if (causes.length === 0) return [paint.good('all is well'), ''];
  const lines = causes.slice(0, shownCauses).flatMap((cause) => [...causeLines(cause, report, paint), '']);
  const more = causes.length - shownCauses;
  return more > 0 ? [...lines, `... and ${more} more; see them all with --json`, ''] : lines;
}

const marks: Readonly<Record<Condition['severity'], string>> = { critical: '!!', warning: '! ', notice: '- ' };
const turns: Readonly<Record<Condition['who'], string>> = {
  user: 'your turn: somebody with this login',
  operator: 'your turn: who runs this machine',
  issuer: "the issuer's turn",
  wait: "nobody's turn: it is tried again",
  bug: "tokeep's own fault; please report it",
};

function causeLines(
  { root, followers }: Cause,
  { at: now, ofUsers }: Pick<StatusReport, 'at' | 'ofUsers'>,
  paint: StatusPaint,
): string[] {
  const colour = root.severity === 'critical' ? paint.bad : root.severity === 'warning' ? paint.warn : paint.dim;
  const facts = [
    ofUsers && root.who === 'user' ? `the turn of ${userOf(root) ?? 'the user'}` : turns[root.who],
    ...(root.since === null ? [] : [lasting(between(root.since, now))]),
    ...(root.nextTry === null ? [] : [`next try ${whenText(root.nextTry, now)}`]),
  ];
  const wishes = new Set(followers.filter(({ subject }) => subject.kind === 'wish').map(({ subject }) => subject.name));
  if (root.subject.kind === 'wish') wishes.delete(root.subject.name);
  const names = [...wishes].slice(0, 3).join(', ') + (wishes.size > 3 ? ` and ${wishes.size - 3} more` : '');
  return [
    `${colour(`${marks[root.severity]} ${root.sentence}`)}`,
    paint.dim(`   ${facts.join('; ')}`),
    ...(wishes.size === 0 ? [] : [paint.dim(`   concerns ${names}`)]),
    ...(root.hint === undefined ? [] : [`   ${root.hint}`]),
  ];
}

/** Below this is no length that anybody waits for. */
const moment = 1000;

const lasting = (length: Millis): string => (length < moment ? 'just now' : `for ${span(length)}`);

function whenText(at: Epoch, now: Epoch): string {
  const left = between(now, at);
  if (left < moment) return 'now';
  return Number.isFinite(new Date(at).getTime()) ? `in ${span(left)}` : 'never';
}

function wishLines(report: StatusReport, options: TableOptions): string[] {
  const { paint } = options;
  const well = (wish: WishStatus) =>
    (wish.state === 'valid' || wish.state === 'due') && wish.targets.every(({ state }) => state !== 'failing');
  const few = options.all || report.wishes.length <= listed;
  const ill = report.wishes.filter((wish) => !well(wish));
  const shown = few ? report.wishes : ill.slice(0, listed);
  const lines = shown.length === 0 ? [] : table(shown, report.at, options);
  if (few && report.wishes.length > 0) return [...lines, ''];
  const inEachState = Object.entries(report.totals)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`);
  const summary =
    report.wishes.length === 0
      ? report.ofUsers
        ? `no job has asked for a token yet: ${report.configFile} has no credentials`
        : `no tokens are configured in ${report.configFile}`
      : `${counted(report.wishes.length, 'token')}: ${inEachState.join(', ')}`;
  const hidden = few ? [] : [paint.dim('list them with --all, or name the ones you mean')];
  return [...lines, ...(lines.length === 0 ? [] : ['']), summary, ...hidden, ''];
}

const headings = ['TOKEN', 'ACCOUNT', 'STATE', 'EXPIRES', 'NEXT', 'TARGETS'] as const;

function table(wishes: readonly WishStatus[], now: Epoch, { paint, columns }: TableOptions): string[] {
  const rows = wishes.map((wish) => [
    printable(wish.name),
    printable(wish.account),
    wish.state,
    wish.expiresAt === null ? '-' : wish.expiresAt <= now ? 'expired' : `in ${span(between(now, wish.expiresAt))}`,
    wish.nextAt === null ? '-' : whenText(wish.nextAt, now),
    targetsText(wish.targets),
  ]);
  const widths = fit(rows, columns);
  const line = (cells: readonly string[], last: (text: string) => string = (text) => text) =>
    cells
      .map((cell, n) => (n === headings.length - 1 ? last(cell) : cut(cell, widths[n] ?? 0).padEnd(widths[n] ?? 0)))
      .join('  ')
      .trimEnd();
  return [
    paint.dim(line(headings)),
    ...rows.map((cells, n) => colourOf(wishes[n]?.state ?? 'valid', paint)(line(cells))),
  ];
}

/** The two name columns share what the others leave; the first gets the larger part. */
function fit(rows: readonly (readonly string[])[], columns: number): readonly number[] {
  const natural = headings.map((heading, n) => Math.max(heading.length, ...sample(rows, n)));
  const gaps = 2 * (headings.length - 1);
  const fixed = natural.slice(2).reduce((sum, width) => sum + width, 0);
  const room = Math.max(20, columns - gaps - fixed);
  const [wish = 0, account = 0] = natural;
  if (wish + account <= room) return natural;
  const narrow = Math.max(room - wish, Math.min(account, Math.floor(room * 0.4)));
  return [room - narrow, narrow, ...natural.slice(2)];
}

/** Not spread over 100,000 arguments. */
const sample = (rows: readonly (readonly string[])[], n: number): readonly number[] => [
  rows.reduce((widest, row) => Math.max(widest, row[n]?.length ?? 0), 0),
];

/** The end of a name tells more than its middle: `very-long-na…tier1`. */
function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 3);
  return `${text.slice(0, width - 1 - tail)}…${tail === 0 ? '' : text.slice(-tail)}`;
}

function targetsText(targets: readonly TargetStatus[]): string {
  if (targets.length === 0) return 'none';
  const failing = targets.filter(({ state }) => state === 'failing').length;
  const there = targets.filter(({ state }) => state === 'delivered').length;
  return failing > 0 ? `${failing} failing` : `${there}/${targets.length}`;
}

function colourOf(state: WishState, paint: StatusPaint): (text: string) => string {
  if (state === 'expired') return paint.bad;
  return state === 'valid' || state === 'due' ? (text) => text : paint.warn;
}

/** Logins end some day, or nobody knows when: a line each for the few that there usually are. */
function loginLines(report: StatusReport, { paint }: TableOptions): string[] {
  const withLogin = report.accounts.filter(({ loginEnds }) => loginEnds !== 'none').slice(0, listed);
  return withLogin.map(({ name, loginEnds }) =>
    paint.dim(
      loginEnds === 'unknown' || loginEnds === 'none'
        ? `login of ${name}: how long it lives is not known`
        : `login of ${name}: until ${timestamp(loginEnds)}`,
    ),
  );
}
