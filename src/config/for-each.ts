import { parse } from 'yaml';
import { asFault, Fault } from '../fault/fault.ts';
import { minutes } from '../token/time.ts';
import { runTrusted } from '../world/trusted-command.ts';
import type { World } from '../world/world.ts';
import type { Position, Wish } from './config.ts';
import type { RowSource, TargetInput, TokenInput } from './schema-tokens.ts';
import { wishOf } from './wish.ts';

/** One line of a `for_each`: column to value. */
export type Row = Readonly<Record<string, string>>;

const maxBytes = 64 * 1024 * 1024;

/** Reads the rows; throws a Fault that names the source. */
export async function readRows(world: World, source: RowSource): Promise<readonly Row[]> {
  const name = 'file' in source ? source.file : source.command.join(' ');
  const text =
    'file' in source
      ? await readRowFile(world, source.file)
      : await runTrusted(world, { argv: source.command, timeout: minutes(1), maxOutput: maxBytes });
  const data = parseRows(text, name);
  if (!Array.isArray(data)) throw new Fault('config-invalid', `${name} does not hold a list of rows`);
  return data.map((row, index) => rowOf(row, `row ${index + 1} of ${name}`));
}

async function readRowFile(world: World, path: string): Promise<string> {
  try {
    const text = await world.files.readText(path, maxBytes);
    if (text !== undefined) return text;
  } catch (thrown) {
    throw new Fault('config-invalid', `the rows in ${path} could not be read (${asFault(thrown, 'reading').message})`);
  }
  throw new Fault('config-invalid', `there are no rows: ${path} does not exist`);
}

function parseRows(text: string, name: string): unknown {
  try {
    // What a program prints is most often JSON, which is a hundred times faster to read than YAML.
    return JSON.parse(text);
  } catch {
    try {
      return parse(text, { logLevel: 'error' });
    } catch {
      throw new Fault('config-invalid', `${name} is neither YAML nor JSON`);
    }
  }
}

function rowOf(row: unknown, where: string): Row {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) {
    throw new Fault('config-invalid', `${where} is not a mapping of columns to values`);
  }
  const columns: Record<string, string> = Object.create(null);
  for (const [column, value] of Object.entries(row)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      columns[column] = String(value);
  }
  return columns;
}

/** The wish of one row, or the reason why there is none. */
export function expandRow(template: WishTemplate, row: Row, at: Position): Wish | string {
  try {
    let reason: string | undefined;
    const wish = wishOf(template.name(row), at, template.input(row), (path, message) => {
      reason ??= [...path.map(String), message].join(' ');
    });
    return reason ?? wish;
  } catch (thrown) {
    return asFault(thrown, 'filling in a row').message;
  }
}

/** What a value from a row becomes a part of; each has something that a value must not smuggle in. */
type Use = 'text' | 'path' | 'argument';
type Fill<T> = (row: Row) => T;

/** A `tokens:` entry with `for_each`, taken apart once, so that each row only costs joining texts. */
export interface WishTemplate {
  readonly name: Fill<string>;
  readonly input: Fill<TokenInput>;
}

/** Throws a Fault when the template cannot work with any row. */
export function compileTemplate(name: string, input: TokenInput): WishTemplate {
  if (!placeholder.test(name)) {
    throw new Fault('config-invalid', `the name "${name}" has no {column}, so every row would have the same name`);
  }
  const program = (input.deliver ?? []).find((target) => placeholder.test(programOf(target) ?? ''));
  if (program !== undefined)
    throw new Fault('config-invalid', 'a row cannot choose the program to run; name it in full');
  const { deliver, for_each, ...rest } = input;
  const fillRest = fillAll(rest, 'text') as Fill<TokenInput>;
  const fillTargets = deliver?.map(fillTarget);
  return {
    name: fillText(name, 'text'),
    input: (row) => ({
      ...fillRest(row),
      ...(fillTargets === undefined ? {} : { deliver: fillTargets.map((fill) => fill(row)) }),
    }),
  };
}

function programOf(target: TargetInput): string | undefined {
  if ('exec' in target) return target.exec[0];
  return 'htcondor' in target ? target.program : undefined;
}

function fillTarget(target: TargetInput): Fill<TargetInput> {
  const use = 'file' in target ? 'path' : 'exec' in target ? 'argument' : 'path';
  return fillAll(target, use) as Fill<TargetInput>;
}

function fillAll(value: unknown, use: Use): Fill<unknown> {
  if (typeof value === 'string') return fillText(value, use);
  if (Array.isArray(value)) {
    const fills = value.map((item) => fillAll(item, use));
    return (row) => fills.map((fill) => fill(row));
  }
  if (typeof value !== 'object' || value === null) return () => value;
  const fills = Object.entries(value).map(([key, item]) => [key, fillAll(item, use)] as const);
  return (row) => Object.fromEntries(fills.map(([key, fill]) => [key, fill(row)]));
}

const placeholder = /\{([A-Za-z_][\w-]*)\}/;

function fillText(text: string, use: Use): Fill<string> {
  // Splitting by a pattern with a group gives text, column, text, column, …, text.
  const parts = text.split(new RegExp(placeholder, 'g'));
  if (parts.length === 1) return () => text;
  return (row) =>
    parts
      .map((part, index) => (index % 2 === 0 ? part : cellOf(row, part, use, index === 1 && parts[0] === '')))
      .join('');
}

function cellOf(row: Row, column: string, use: Use, first: boolean): string {
  const value = row[column];
  if (value === undefined)
    throw new Fault('config-invalid', `column "${column}" is missing, or is not a text or a number`);
  if (value === '') throw new Fault('config-invalid', `column "${column}" is empty`);
  if (/\p{Cc}/u.test(value)) throw new Fault('config-invalid', `column "${column}" holds a control character`);
  if (use === 'path' && (value.includes('/') || value === '..' || value === '.')) {
    throw new Fault('config-invalid', `column "${column}" holds "${value}", which would lead a path elsewhere`);
  }
  if (use === 'argument' && first && value.startsWith('-')) {
    throw new Fault('config-invalid', `column "${column}" holds "${value}", which a program would take for an option`);
  }
  return value;
}
