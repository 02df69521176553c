import { normalize } from 'node:path/posix';
import type { Position } from './config.ts';
import type { Findings } from './finding.ts';
import type { IniOption, IniSection } from './ini.ts';
import { interpolate } from './interpolation.ts';

/** What OSG's renewer reads, and `ca_file`, which is ours. */
export const accountKeys = ['password_file', 'token_request_url', 'client_id', 'client_secret', 'ca_file'] as const;
/** Likewise; `in_place` is ours. */
export const tokenKeys = ['account', 'token_path', 'audience', 'scope', 'min_lifetime', 'in_place'] as const;

interface Parts {
  /** Such as `tokens.monitoring`. */
  readonly id: string;
  readonly name: string;
  readonly at: Position;
  readonly section: IniSection;
  readonly defaults: ReadonlyMap<string, IniOption>;
  readonly keys: readonly string[];
  readonly findings: Findings;
}

/** One `[account …]` or `[token …]` section, with what it inherits, interpolated, and a voice for what is wrong with it. */
export class IniSectionReader {
  readonly id: string;
  readonly name: string;
  readonly at: Position;
  readonly #parts: Parts;
  readonly #values = new Map<string, string | undefined>();
  #forgiving = false;

  constructor(parts: Parts) {
    this.id = parts.id;
    this.name = parts.name;
    this.at = parts.at;
    this.#parts = parts;
  }

  /** From now on, errors are warnings. */
  forgive(): void {
    this.#forgiving = true;
  }

  has(key: string): boolean {
    return this.#option(key) !== undefined;
  }

  value(key: string): string | undefined {
    if (!this.#values.has(key)) this.#values.set(key, this.#read(key));
    return this.#values.get(key);
  }

  /** An absolute path; otherwise this complains. */
  path(key: string, need: 'required' | 'optional' = 'optional'): string | undefined {
    const value = this.value(key);
    if (value === undefined || value === '') {
      if (need === 'required' && !this.#parts.findings.broken(this.id)) {
        this.complain(this.has(key) ? key : undefined, `"${key}" is ${this.has(key) ? 'empty' : 'missing'}`);
      }
      return undefined;
    }
    if (value.startsWith('/') && !/\p{Cc}/u.test(value)) return normalize(value);
    this.complain(key, `"${key}" is not an absolute path`);
    return undefined;
  }

  seconds(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (/^\d{1,9}$/.test(value)) return Number(value);
    this.complain(key, `"${key}" is not a whole number of seconds, such as 1200`);
    return undefined;
  }

  /** Python's words for yes and no. */
  flag(key: string): boolean {
    const value = this.value(key)?.toLowerCase();
    if (value === undefined || ['no', 'false', 'off', '0'].includes(value)) return false;
    if (['yes', 'true', 'on', '1'].includes(value)) return true;
    this.complain(key, `"${key}" is neither true nor false`);
    return false;
  }

  warnOfUnknownKeys(): void {
    const known = this.#parts.keys;
    for (const option of this.#parts.section.options.values()) {
      // `name` is what OSG's renewer itself puts into every section.
      if (known.includes(option.name) || option.name === 'name' || this.#isReferred(option.name)) continue;
      this.#parts.findings.warning(this.#place(option), `unknown key "${option.name}" is not looked at`, {
        section: this.id,
        unknown: { word: option.name, known: known.filter((key) => !this.has(key)) },
      });
    }
  }

  complain(key: string | undefined, message: string): void {
    const at = key === undefined ? this.at : this.valueAt(key);
    const subject = key === undefined ? `[${this.#parts.section.header}]: ${message}` : message;
    if (this.#forgiving)
      this.#parts.findings.warning(at, `${subject}; no token uses this account`, { section: this.id });
    else this.#parts.findings.error(at, subject, { section: this.id });
  }

  warn(key: string, message: string): void {
    this.#parts.findings.warning(this.keyAt(key), message, { section: this.id });
  }

  keyAt(key: string): Position {
    const option = this.#option(key);
    return option === undefined ? this.at : this.#place(option);
  }

  valueAt(key: string): Position {
    const option = this.#option(key);
    return option === undefined ? this.at : this.#place(option.valueAt);
  }

  #option(key: string): IniOption | undefined {
    return this.#parts.section.options.get(key) ?? this.#parts.defaults.get(key);
  }

  #place({ line, column }: { readonly line: number; readonly column: number }): Position {
    return { file: this.at.file, line, column };
  }

  #read(key: string): string | undefined {
    const option = this.#option(key);
    if (option === undefined) return undefined;
    const result = interpolate(option.value, (name) => (name === 'name' ? this.name : this.#option(name)?.value));
    if (result.kind === 'unknown') {
      this.complain(
        key,
        `"${key}" refers to %(${result.name})s, which is neither in [${this.#parts.section.header}] nor in [DEFAULT]`,
      );
      return undefined;
    }
    if (result.kind === 'endless') {
      this.complain(key, `"${key}" refers to itself, or to more than ten others in a row`);
      return undefined;
    }
    if (result.kind === 'oversized') {
      this.complain(key, `"${key}" grows beyond 1 MiB by what it refers to`);
      return undefined;
    }
    if (result.stray)
      this.warn(
        key,
        `"${key}" has a single %, which stands for itself here; OSG's renewer would stop at it, %% works in both`,
      );
    return result.value;
  }

  /** A key of one’s own choice that only `%(key)s` uses is no typo. */
  #isReferred(key: string): boolean {
    const options = [...this.#parts.section.options.values(), ...this.#parts.defaults.values()];
    return options.some((option) => option.value.toLowerCase().includes(`%(${key})s`));
  }
}
