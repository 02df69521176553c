import { InvalidArgumentError } from 'commander';
import type { Config } from '../config/config.ts';
import { parseDuration } from '../config/duration.ts';
import { nearest } from '../config/nearest.ts';
import { Fault } from '../fault/fault.ts';
import type { AccountName, WishName } from '../token/names.ts';
import type { Millis } from '../token/time.ts';

/** For options that take a length of time. */
export function lengthArgument(text: string): Millis {
  const length = parseDuration(text);
  if (length === undefined) throw new InvalidArgumentError('Expected a length of time such as 90s, 20m, 1h or 4d');
  return length;
}

/** For options that may be given more than once. */
export const collected = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
];

/** The wishes asked for by name; all if none is. An unknown name is a usage fault with the nearest one. */
export function wishNames(config: Config, names: readonly string[]): readonly WishName[] {
  if (names.length === 0) return [...config.wishes.keys()];
  for (const name of names)
    if (!config.wishes.has(name as WishName)) throw unknown('token', name, config.wishes, config);
  return [...new Set(names)] as WishName[];
}

export function accountName(config: Config, name: string): AccountName {
  if (!config.accounts.has(name as AccountName)) throw unknown('account', name, config.accounts, config);
  return name as AccountName;
}

function unknown(what: 'token' | 'account', name: string, known: ReadonlyMap<string, unknown>, config: Config): Fault {
  const broken = config.findings.find(({ section }) => section === `${what}s.${name}`);
  if (broken !== undefined) {
    return new Fault(
      'config-invalid',
      `the ${what} ${name} is left out, since its section in ${config.file} has an error`,
      {
        hint: 'see: tokeep config check',
      },
    );
  }
  const guess = nearest(name, known.keys());
  const sentence = `there is no ${what} ${name} in ${config.file}`;
  if (guess !== undefined) return new Fault('usage', `${sentence} (did you mean ${guess}?)`);
  const some = [...known.keys()].slice(0, 8).join(', ');
  return new Fault('usage', sentence, {
    hint: known.size === 0 ? 'it has none' : `known: ${some}${known.size > 8 ? ', …' : ''}`,
  });
}
