/** One measured thing. Figures of a machine that others use too are ratios to something measured in the same run. */
export interface Figure {
  readonly what: string;
  /** `skipped` where what it is held against is not on this machine; `what` says why. */
  readonly measured: number | 'skipped';
  readonly unit: '%' | '×' | 's' | 'ms' | 'MB' | '/s' | '';
  /** Absent for what is only told. */
  readonly must?: { readonly be: 'at least' | 'at most'; readonly value: number };
}

export type Judgement = 'ok' | 'missed' | '';

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What is done, and against what it is held. */
  readonly how: string;
  run(tell: (progress: string) => void): Promise<readonly Figure[]>;
}

export function judgementOf({ measured, must }: Figure): Judgement {
  if (must === undefined || measured === 'skipped') return '';
  const reached = must.be === 'at least' ? measured >= must.value : measured <= must.value;
  return reached ? 'ok' : 'missed';
}

export const shownMeasured = ({ measured, unit }: Figure): string =>
  measured === 'skipped' ? measured : shown(measured, unit);

export function shownMust({ must, unit }: Figure): string {
  return must === undefined ? '' : `${must.be === 'at least' ? '≥' : '≤'} ${shown(must.value, unit)}`;
}

function shown(value: number, unit: Figure['unit']): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const number = value.toLocaleString('en-GB', { minimumFractionDigits: 0, maximumFractionDigits: digits });
  return unit === '/s' || unit === '' ? `${number}${unit}` : `${number} ${unit}`;
}

/** The middle one, which a neighbour's burst of work does not move. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/**
 * For work that only calculates: the round from which neighbours took least. They slow a large program down more than a small one, so
 * that on a busy machine medians of the two would compare the neighbours.
 */
export const best = (rates: readonly number[]): number => Math.max(...rates);
