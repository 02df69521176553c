import type { Epoch, Millis } from '../token/time.ts';
import type { Clock } from '../world/clock.ts';
import { type FieldsOf, type Level, type LogEventName, logEvents } from './log-events.ts';
import { printable, span, timestamp } from './printable.ts';

/** Where events go. Contract: `event` neither throws nor waits; every event is one line. */
export interface Logger {
  event<N extends LogEventName>(name: N, fields: FieldsOf<N>): void;
}

/**
 * - `terminal`: the sentence alone, as `tokeep: …`
 * - `plain`: with time, level and event name, for files and other supervisors
 * - `journal`: with the priority prefix of sd-daemon(3); the journal has the time already
 * - `json`: one object a line, with every field as it is
 */
export type LogFormat = 'terminal' | 'plain' | 'journal' | 'json';

export interface LogOptions {
  readonly format: LogFormat;
  /** Events below this level are left out. */
  readonly threshold: Level;
  readonly clock: Pick<Clock, 'now'>;
  /** Takes one line with its newline; standard error, as a rule. */
  readonly write: (line: string) => void;
}

/** The numbers of syslog(3). */
const priority: Readonly<Record<Level, number>> = { error: 3, warning: 4, notice: 5, info: 6, debug: 7 };

export const silentLogger: Logger = { event: () => {} };

/** What suits the place standard error leads to; systemd says so with JOURNAL_STREAM or INVOCATION_ID. */
export function logFormat(
  env: Readonly<Record<string, string | undefined>>,
  asked: { readonly json: boolean; readonly terminal: boolean },
): LogFormat {
  if (asked.json) return 'json';
  if (asked.terminal) return 'terminal';
  return env['JOURNAL_STREAM'] !== undefined || env['INVOCATION_ID'] !== undefined ? 'journal' : 'plain';
}

export function createLogger(options: LogOptions): Logger {
  return {
    event(name, fields) {
      const { level } = logEvents[name];
      if (priority[level] > priority[options.threshold]) return;
      options.write(`${line(options, name, fields as Fields)}\n`);
    },
  };
}

type Fields = Readonly<Record<string, unknown>>;

function line(options: LogOptions, name: LogEventName, fields: Fields): string {
  const { level } = logEvents[name];
  switch (options.format) {
    case 'terminal':
      return `tokeep: ${sentenceOf(name, fields)}`;
    case 'plain':
      return `${timestamp(options.clock.now())} ${level} ${name}: ${sentenceOf(name, fields)}`;
    case 'journal':
      return `<${priority[level]}>${name}: ${sentenceOf(name, fields)}`;
    case 'json':
      return JSON.stringify({
        time: timestamp(options.clock.now()),
        level,
        event: name,
        ...jsonFields(name, fields),
        message: sentenceOf(name, fields),
      });
  }
}

/** The sentence of an event with its fields filled in; also what `docs/events.md` shows. */
export function sentenceOf(name: LogEventName, fields: Fields): string {
  const { sentence, fields: kinds } = logEvents[name];
  const fill = (text: string) =>
    text.replace(/\{(\w+)\}/g, (_, field: string) => shown((kinds as Record<string, string>)[field], fields[field]));
  const whole = sentence.replace(/\[([^\]]*)\]/g, (_, part: string) => {
    const needs = [...part.matchAll(/\{(\w+)\}/g)].map(([, field]) => field ?? '');
    return needs.some((field) => absent(fields[field])) ? '' : part;
  });
  return fill(whole);
}

const absent = (value: unknown): value is undefined | null => value === undefined || value === null;

function shown(kind: string | undefined, value: unknown): string {
  if (absent(value)) return '-';
  if (kind?.startsWith('time')) return timestamp(value as Epoch);
  if (kind?.startsWith('length')) return span(value as Millis);
  return printable(String(value));
}

/** Only the fields of the table: whatever else an object carries stays out. Times as text, lengths in seconds. */
function jsonFields(name: LogEventName, fields: Fields): Record<string, unknown> {
  const shownFields: Record<string, unknown> = {};
  for (const [field, kind] of Object.entries<string>(logEvents[name].fields)) {
    const value = fields[field];
    if (absent(value)) continue;
    if (kind.startsWith('length')) shownFields[`${field}Seconds`] = Number(value) / 1000;
    else shownFields[field] = kind.startsWith('count') ? value : shown(kind, value);
  }
  return shownFields;
}
