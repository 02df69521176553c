import { isUtf8 } from 'node:buffer';

type JsonObject = Readonly<Record<string, unknown>>;

export type JsonReading =
  | { readonly kind: 'object'; readonly value: JsonObject }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Reads a part of a JWS as the JSON object it has to be (VER-06): base64url as an encoder writes it (RFC 7515 section 2), UTF-8,
 * and no name twice, because of two members of one name others may read the other one (RFC 8725 section 3.7).
 */
export function readJsonPart(part: string): JsonReading {
  const bytes = decodedForNow(part);
  if (bytes.toString('base64url') !== part) return refused('is not base64url');
  if (!isUtf8(bytes)) return refused('is not UTF-8');
  const text = bytes.toString();
  const value = jsonObjectIn(text);
  if (value === undefined) return refused('is not a JSON object');
  if (isTooDeep(text)) return refused('is nested too deeply');
  return surelySingle(text, value) || !hasRepeatedName(text) ? { kind: 'object', value } : refused('has a name twice');
}

/** The bytes; undefined for anything but the one text that base64url has for them: no padding, no stray bits, no line ends. */
export function strictBase64url(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : undefined;
}

/** Where parts are decoded and read at once: a Buffer of its own for each costs as much as all else that is done with it. */
const workspace = Buffer.allocUnsafeSlow(16 * 1024);

/** The next call overwrites it. */
const decodedForNow = (part: string): Buffer =>
  part.length > workspace.length
    ? Buffer.from(part, 'base64url')
    : workspace.subarray(0, workspace.write(part, 'base64url'));

const refused = (why: string): JsonReading => ({ kind: 'refused', why });

/** The JSON object that a text is, if it is one. */
export function jsonObjectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The quick look, enough for nearly all tokens. Without blanks before colons every member of the text has its `":`, so there are
 * at least as many of them as members written; if there are only as many as members read, none was lost, and none is nested.
 */
function surelySingle(text: string, value: JsonObject): boolean {
  return timesIn(text, '":') === Object.keys(value).length && !/\s:/.test(text);
}

function timesIn(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}

/** No token and no key has a tenth of this. */
const deepest = 64;

/**
 * Is it nested deeper than anybody means it? JSON.parse reads any depth, and whatever then recurses over the value, JSON.stringify
 * first of all, runs out of stack (RFC 8259 section 9 leaves a limit to us). The text is known to be JSON.
 */
export function isTooDeep(text: string): boolean {
  if (timesIn(text, '[') + timesIn(text, '{') <= deepest) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > deepest) return true;
  }
  return false;
}

/** Where the string that begins here ends. By hand: a pattern would keep its way through a long one on a stack, too. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** The long look, at every level. The text is known to be JSON, so strings and brackets are all that has to be told apart. */
function hasRepeatedName(text: string): boolean {
  const open: Set<string>[] = [];
  for (const [token, literal, colon] of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (literal !== undefined && colon !== undefined) {
      const names = open.at(-1);
      const name = JSON.parse(literal) as string;
      if (names?.has(name)) return true;
      names?.add(name);
    }
  }
  return false;
}
