import type { RawAnswer } from './grant.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** Salvage, judgement and the learning of styles all look at the same answer; it is parsed once. */
const parsed = new WeakMap<RawAnswer, JsonObject | null>();

/** The JSON object in an answer's body, whatever its status and content type say; null if there is none. */
export function jsonOf(raw: RawAnswer): JsonObject | null {
  const known = parsed.get(raw);
  if (known !== undefined) return known;
  const value = parseObject(raw.body);
  parsed.set(raw, value);
  return value;
}

/** A text member of that object, if it is there and is text. */
export function textOf(raw: RawAnswer, member: string): string | undefined {
  const value = jsonOf(raw)?.[member];
  return typeof value === 'string' ? value : undefined;
}

/** JSON.parse quotes what it was given in its errors: they are dropped here. */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}
