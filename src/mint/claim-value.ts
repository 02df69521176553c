/** Deeper than anything that is meant, and far above what readers of JSON take. */
const deepest = 32;

/**
 * Why this cannot stand in a token as it was asked for, or undefined where it can: JSON has neither infinities nor dates, and of whole
 * numbers beyond 2^53 readers make different ones (RFC 8259 section 6).
 */
export function whyNoClaimValue(value: unknown, depth = 1): string | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return whyNoNumber(value);
  if (typeof value !== 'object') return `it holds something of the kind ${typeof value}, which JSON has not`;
  const isPlain = Array.isArray(value) || [Object.prototype, null].includes(Object.getPrototypeOf(value));
  if (!isPlain) return 'it holds an object that is no JSON';
  if (depth > deepest) return `it is nested deeper than ${deepest} levels`;
  for (const part of Object.values(value)) {
    const why = whyNoClaimValue(part, depth + 1);
    if (why !== undefined) return why;
  }
  return undefined;
}

function whyNoNumber(value: number): string | undefined {
  if (!Number.isFinite(value)) return 'it holds a number that JSON cannot say';
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return undefined;
  return 'it holds a whole number beyond 2^53, of which readers make another one; write it as a text';
}
