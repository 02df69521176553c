import type { FaultCode } from '../fault/codes.ts';
import { nearest } from '../fault/nearest.ts';
import type { ConfigFinding, Position } from './config.ts';

interface FindingExtras {
  readonly section?: string;
  readonly code?: FaultCode;
  /** The word that was not known, and those that are; the nearest becomes `didYouMean`. */
  readonly unknown?: { readonly word: string; readonly known: Iterable<string> };
}

/** Collects what is wrong with a configuration while it is read; nothing is thrown, so that all of it is told at once. */
export class Findings {
  readonly #list: ConfigFinding[] = [];
  readonly #broken = new Set<string>();

  error(at: Position, message: string, extras: FindingExtras = {}): void {
    this.#add('error', at, message, extras);
    if (extras.section !== undefined) this.#broken.add(extras.section);
  }

  warning(at: Position, message: string, extras: FindingExtras = {}): void {
    this.#add('warning', at, message, extras);
  }

  /** Whether an error was found in this section, such as `tokens.monitoring`. */
  broken(section: string): boolean {
    return this.#broken.has(section);
  }

  /** In the order of the file. */
  list(): readonly ConfigFinding[] {
    return this.#list.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
  }

  #add(severity: ConfigFinding['severity'], at: Position, message: string, extras: FindingExtras): void {
    const didYouMean = extras.unknown === undefined ? undefined : nearest(extras.unknown.word, extras.unknown.known);
    this.#list.push({
      severity,
      code: extras.code ?? 'config-invalid',
      at,
      message,
      ...(didYouMean === undefined ? {} : { didYouMean }),
      ...(extras.section === undefined ? {} : { section: extras.section }),
    });
  }
}

/** One line for people: `file:line:column: message (did you mean "…"?)`; warnings say that they are. */
export function formatFinding(finding: ConfigFinding): string {
  const { file, line, column } = finding.at;
  const severity = finding.severity === 'warning' ? 'warning: ' : '';
  const guess = finding.didYouMean === undefined ? '' : ` (did you mean "${finding.didYouMean}"?)`;
  return `${file}:${line}:${column}: ${severity}${finding.message}${guess}`;
}
