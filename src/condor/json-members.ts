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
    if (members.has(name)) return { kind: 'other', why: `has a member twice` };
    members.set(name, { value: JSON.parse(text.slice(from, to)), from, to });
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

/** Strings whole, and each other sign that is no blank: enough for text that is known to be JSON. */
const piece = /"(?:[^"\\]|\\.)*"|[^\s"]/g;

/** The members of the outermost object of a text that is JSON. */
function* places(text: string): Generator<Place> {
  let depth = 0;
  let name: string | undefined;
  let from: number | undefined;
  let to = 0;
  for (const { 0: sign, index } of text.matchAll(piece)) {
    const closing = sign === '}' || sign === ']';
    if (closing) depth -= 1;
    if ((depth === 1 && sign === ',') || (depth === 0 && closing)) {
      if (name !== undefined && from !== undefined) yield { name, from, to };
      [name, from] = [undefined, undefined];
    } else if (depth === 1 && name === undefined) name = JSON.parse(sign) as string;
    // The colon after the name is no part of the value.
    else if (depth >= 1 && from === undefined && sign !== ':') from = index;
    to = index + sign.length;
    if (sign === '{' || sign === '[') depth += 1;
  }
}
