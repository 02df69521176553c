/** A value with its references filled in, or why that cannot be done. `stray`: it holds a `%` that Python would refuse. */
export type Interpolated =
  | { readonly kind: 'value'; readonly value: string; readonly stray: boolean }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'endless' }
  | { readonly kind: 'oversized' };

/** Python's MAX_INTERPOLATION_DEPTH. */
const maxDepth = 10;

/** What may be read to fill in one value: ten levels of ten references each would be gigabytes. */
const largestExpansion = 1024 * 1024;

/**
 * Interpolation as Python's `BasicInterpolation` does it: `%%` is a per cent sign, `%(name)s` the value of another option,
 * looked up by `lookup` (the section, then `[DEFAULT]`) and interpolated itself. Any other `%`, where Python gives up on the
 * whole file, stands for itself: client secrets have them.
 */
export function interpolate(text: string, lookup: (name: string) => string | undefined): Interpolated {
  return fillIn(text, { lookup, left: largestExpansion }, 1);
}

interface Filling {
  readonly lookup: (name: string) => string | undefined;
  /** Characters that may still be read, which bounds the time and what comes out, also where values are empty. */
  left: number;
}

function fillIn(text: string, filling: Filling, depth: number): Interpolated {
  if (depth > maxDepth) return { kind: 'endless' };
  filling.left -= text.length;
  if (filling.left < 0) return { kind: 'oversized' };
  let stray = false;
  let value = '';
  let end = 0;
  for (const match of text.matchAll(/%(?:(%)|\(([^)]+)\)s)?/g)) {
    value += text.slice(end, match.index);
    end = match.index + match[0].length;
    const name = match[2]?.toLowerCase();
    if (name === undefined) {
      stray ||= match[1] === undefined;
      value += '%';
      continue;
    }
    const referred = filling.lookup(name);
    if (referred === undefined) return { kind: 'unknown', name };
    const inner = fillIn(referred, filling, depth + 1);
    if (inner.kind !== 'value') return inner;
    value += inner.value;
    stray ||= inner.stray;
  }
  return { kind: 'value', value: value + text.slice(end), stray };
}
