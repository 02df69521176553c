/** A member of a JSON object, and where its value stands in the text. */
export interface JsonMember {
  readonly value: unknown;
  readonly from: number;
  readonly to: number;
}

export type JsonMembers =
  | { readonly kind: 'members'; readonly members: ReadonlyMap<string, JsonMember> }
  | { readonly kind: 'other'; readonly why: string };

/**
 * The members of a JSON object with their places, so that one can be replaced while every other stays as it was written, numbers
 * and blanks included. A name that stands twice is refused: readers differ in which one they take (RFC 8259 section 4).
 */
export function jsonMembers(text: string): JsonMembers {
  const value = parsed(text);
  if (value === undefined) return { kind: 'other', why: 'is not JSON' };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'other', why: 'is not a JSON object' };
  }
  const members = new Map<string, JsonMember>();
  for (const { name, from, to } of places(text)) {
    if (members.has(name)) return { kind: 'other', why: 'has a member twice' };
    members.set(name, { value: (value as Readonly<Record<string, unknown>>)[name], from, to });
  }
  return { kind: 'members', members };
}

/** JSON.parse quotes what it was given in its errors: they are dropped here. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Place {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** The members of the outermost object of a text that is known to be JSON. */
function* places(text: string): Generator<Place> {
  let depth = 0;
  let name: string | undefined;
  let from: number | undefined;
  /** After the last sign that is no blank. */
  let to = 0;
  for (let at = 0; at < text.length; at = Math.max(at + 1, to)) {
    const sign = text.charAt(at);
    if (isBlank(sign)) continue;
    const closing = sign === '}' || sign === ']';
    if (closing) depth -= 1;
    if ((depth === 1 && sign === ',') || (depth === 0 && closing)) {
      if (name !== undefined && from !== undefined) yield { name, from, to };
      [name, from] = [undefined, undefined];
    } else if (depth === 1 && name === undefined) name = JSON.parse(text.slice(at, stringEnd(text, at))) as string;
    // The colon after the name is no part of the value.
    else if (depth >= 1 && from === undefined && sign !== ':') from = at;
    to = sign === '"' ? stringEnd(text, at) : at + 1;
    if (sign === '{' || sign === '[') depth += 1;
  }
}

const isBlank = (sign: string): boolean => sign === ' ' || sign === '\n' || sign === '\r' || sign === '\t';

/** Tokens are long: from mark to mark, not sign by sign. */
function stringEnd(text: string, begin: number): number {
  let end = text.indexOf('"', begin + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}
