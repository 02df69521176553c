/** A value with its references filled in, or why that cannot be done. `stray`: it holds a `%` that Python would refuse. */
export type Interpolated =
  | { readonly kind: 'value'; readonly value: string; readonly stray: boolean }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'endless' };

/** Python's MAX_INTERPOLATION_DEPTH. */
const maxDepth = 10;

/**
 * Interpolation as Python's `BasicInterpolation` does it: `%%` is a per cent sign, `%(name)s` the value of another option,
 * looked up by `lookup` (the section, then `[DEFAULT]`) and interpolated itself. Any other `%`, where Python gives up on the
 * whole file, stands for itself: client secrets have them.
 */
export function interpolate(text: string, lookup: (name: string) => string | undefined, depth = 1): Interpolated {
  if (depth > maxDepth) return { kind: 'endless' };
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
    const referred = lookup(name);
    if (referred === undefined) return { kind: 'unknown', name };
    const inner = interpolate(referred, lookup, depth + 1);
    if (inner.kind !== 'value') return inner;
    value += inner.value;
    stray ||= inner.stray;
  }
  return { kind: 'value', value: value + text.slice(end), stray };
}
