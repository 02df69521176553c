import type { SecretRef } from '../config/config.ts';
import { unfitIssuer, unfitUrl } from '../config/safe-url.ts';
import type { IssuerUrl } from '../token/names.ts';
import { type Millis, seconds } from '../token/time.ts';
import type { Knobs } from './knobs.ts';
import type { SettingsFinding } from './settings.ts';

/** A knob's names, the one that counts most first (`LOCAL_CREDMON_<PROVIDER>_ISSUER`, then `LOCAL_CREDMON_ISSUER`). */
export type KnobNames = string | readonly [string, ...string[]];

const trueWords = new Set(['true', 't', 'yes', 'y', '1']);
const falseWords = new Set(['false', 'f', 'no', 'n', '0']);

/**
 * Knobs as what they mean. A value that cannot be meant is a finding, and counts as not set: whoever needs it then sees
 * that it is missing, and the others go on.
 */
export class KnobReader {
  readonly #knobs: Knobs;
  readonly findings: SettingsFinding[] = [];

  constructor(knobs: Knobs) {
    this.#knobs = knobs;
  }

  text(names: KnobNames): string | undefined {
    return this.#found(names)?.value;
  }

  /** Words between blanks and commas. */
  list(names: KnobNames): readonly string[] {
    return wordsOf(this.text(names), /[\s,]+/);
  }

  /** Words between blanks; a comma is part of a word. */
  words(names: KnobNames): readonly string[] {
    return wordsOf(this.text(names), /\s+/);
  }

  flag(names: KnobNames, fallback: boolean): boolean {
    const found = this.#found(names);
    if (found === undefined) return fallback;
    const word = found.value.toLowerCase();
    if (trueWords.has(word)) return true;
    if (falseWords.has(word)) return false;
    this.warn(found.knob, `${found.knob} is neither true nor false; taken as ${fallback}`);
    return fallback;
  }

  /** A number of seconds, also as a product (`7 * 24 * 3600`), not below `least`. */
  seconds(names: KnobNames, fallback: number, least = 1): Millis {
    const found = this.#found(names);
    if (found === undefined) return seconds(fallback);
    const number = productOf(found.value);
    if (number !== undefined && number >= least) return seconds(number);
    const wanted = least > 0 ? 'a number of seconds above 0' : 'a number of seconds';
    this.warn(found.knob, `${found.knob} is not ${wanted}; taken as ${fallback}`);
    return seconds(fallback);
  }

  /** A file or directory; without a fallback it may be missing. */
  path(names: KnobNames): string | undefined {
    return this.#fit(names, (value) => (value.startsWith('/') ? undefined : 'is not an absolute path'));
  }

  url(names: KnobNames): string | undefined {
    return this.#fit(names, unfitUrl);
  }

  issuer(names: KnobNames): IssuerUrl | undefined {
    return this.#fit(names, unfitIssuer) as IssuerUrl | undefined;
  }

  choice<C extends string>(names: KnobNames, choices: readonly C[]): C | undefined {
    const value = this.#fit(names, (text) =>
      choices.includes(text as C) ? undefined : `is none of ${choices.join(', ')}`,
    );
    return value as C | undefined;
  }

  secretFile(names: KnobNames): SecretRef | undefined {
    const path = this.path(names);
    return path === undefined ? undefined : { kind: 'file', path };
  }

  /** Whether the knob is set at all, to a fit value or not. */
  isSet(names: KnobNames): boolean {
    return this.#found(names) !== undefined;
  }

  error(knob: string, message: string, hint?: string): void {
    this.findings.push({ severity: 'error', knob, message, ...(hint === undefined ? {} : { hint }) });
  }

  warn(knob: string, message: string, hint?: string): void {
    this.findings.push({ severity: 'warning', knob, message, ...(hint === undefined ? {} : { hint }) });
  }

  #fit(names: KnobNames, unfit: (value: string) => string | undefined): string | undefined {
    const found = this.#found(names);
    if (found === undefined) return undefined;
    const why = unfit(found.value);
    if (why === undefined) return found.value;
    this.error(found.knob, `${found.knob} ${why}`);
    return undefined;
  }

  #found(names: KnobNames): { readonly knob: string; readonly value: string } | undefined {
    for (const knob of typeof names === 'string' ? [names] : names) {
      const value = this.#knobs.get(knob);
      if (value !== undefined) return { knob, value };
    }
    return undefined;
  }
}

const wordsOf = (text: string | undefined, between: RegExp): readonly string[] =>
  (text ?? '').split(between).filter((word) => word !== '');

function productOf(text: string): number | undefined {
  if (!/^-?\d{1,12}(\s*\*\s*\d{1,12})*$/.test(text)) return undefined;
  const product = text.split('*').reduce((so, factor) => so * Number(factor), 1);
  return Number.isSafeInteger(product * 1000) ? product : undefined;
}
