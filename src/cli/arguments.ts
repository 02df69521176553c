import { InvalidArgumentError } from 'commander';
import type { Config } from '../config/config.ts';
import { parseDuration } from '../config/duration.ts';
import { Fault } from '../fault/fault.ts';
import { nearest } from '../fault/nearest.ts';
import type { WishName } from '../token/names.ts';
import type { Millis } from '../token/time.ts';

/** For options that take a length of time. */
export function lengthArgument(text: string): Millis {
  const length = parseDuration(text);
  if (length === undefined) throw new InvalidArgumentError('Expected a length of time such as 90s, 20m, 1h or 4d');
  return length;
}

/** The wishes asked for by name; all if none is. An unknown name is a usage fault with the nearest one. */
export function wishNames(config: Config, names: readonly string[]): readonly WishName[] {
  if (names.length === 0) return [...config.wishes.keys()];
  for (const name of names) if (!config.wishes.has(name as WishName)) throw unknown(config, name);
  return [...new Set(names)] as WishName[];
}

function unknown(config: Config, name: string): Fault {
  const { file, wishes, findings } = config;
  const left = findings.find(({ section }) => section === `tokens.${name}`);
  if (left?.hint !== undefined) return new Fault(left.code, left.message, { hint: left.hint });
  if (left !== undefined) {
    return new Fault('config-invalid', `the token ${name} is left out, since its section in ${file} has an error`, {
      hint: 'see: tokeep config check',
    });
  }
  const guess = nearest(name, wishes.keys());
  const sentence = `there is no token ${name} in ${file}`;
  if (guess !== undefined) return new Fault('usage', `${sentence} (did you mean ${guess}?)`);
  const some = [...wishes.keys()].slice(0, 8).join(', ');
  return new Fault('usage', sentence, {
    hint: wishes.size === 0 ? 'it has none' : `known: ${some}${wishes.size > 8 ? ', …' : ''}`,
  });
}
