/**
 * Where a scope holds, taken apart. Segments are decoded, so that they can be compared as they are; `/` has none.
 * `directoryOnly` is a path written with a slash at its end: it holds for the directory and what is below, never for a file of that name.
 */
export interface ScopePath {
  readonly segments: readonly string[];
  readonly directoryOnly: boolean;
}

export type PathReading =
  | { readonly kind: 'path'; readonly path: ScopePath }
  | { readonly kind: 'refused'; readonly why: string };

/** What the path is for: opening a file, working on a directory, or nobody knows, which is then judged as if it were a file. */
export type PathTarget = 'file' | 'directory' | 'unknown';

/**
 * Reads the path of a scope as strictly as the WLCG profile allows (1.3, "Capability based authorization"): absolute, normalised,
 * each segment percent-encoded once. Whoever meets anything else may refuse it or normalise it; it is refused here, because two
 * services that normalise differently give different rights for the same token.
 */
export function readScopePath(raw: string): PathReading {
  const odd = notForScopes.exec(raw)?.[0];
  if (odd !== undefined)
    return refused(`the path ${quoted(raw)} has ${nameOf(odd)}, which has to be percent-encoded in a scope`);
  return read(raw, decodeSegment);
}

/**
 * Reads the path somebody wants to work on. It is a plain path and not percent-decoded; apart from that what is refused in a
 * scope is refused here, since a file of such a name cannot be meant by any scope.
 */
export function readRequestPath(raw: string): PathReading {
  if (/%[0-9a-f]{2}/i.test(raw))
    return refused(`the path ${quoted(raw)} has a percent escape; here it has to stand as the file is called`);
  return read(raw, (segment) => ({ kind: 'segment', segment }));
}

/** The path as it stands in a scope, each segment percent-encoded as RFC 3986 section 3.3 wants it; `readScopePath` gives the same path again. */
export function printPath({ segments, directoryOnly }: ScopePath): string {
  if (segments.length === 0) return '/';
  return `/${segments.map(encodeSegment).join('/')}${directoryOnly ? '/' : ''}`;
}

/** Does a right that holds at `held` hold at `wanted`? By whole segments: `/a` covers `/a` and `/a/b`, never `/ab`. */
export function coversPath(held: ScopePath, wanted: ScopePath, target: PathTarget): boolean {
  if (!startsWith(wanted, held)) return false;
  if (wanted.segments.length > held.segments.length || !held.directoryOnly) return true;
  return target === 'directory' || (target === 'unknown' && wanted.directoryOnly);
}

/** Is `path` a directory on the way to `of`? Who may create `of` may make its missing parents too (WLCG profile 1.3, storage.create). */
export function isAbove(path: ScopePath, of: ScopePath): boolean {
  return path.segments.length < of.segments.length && startsWith(of, path);
}

const startsWith = (path: ScopePath, start: ScopePath): boolean =>
  start.segments.length <= path.segments.length &&
  start.segments.every((segment, index) => segment === path.segments[index]);

type SegmentReading =
  | { readonly kind: 'segment'; readonly segment: string }
  | { readonly kind: 'refused'; readonly why: string };

function read(raw: string, decode: (segment: string) => SegmentReading): PathReading {
  if (raw === '') return refused('it does not say where: the path is missing');
  if (!raw.startsWith('/')) return refused(`the path ${quoted(raw)} does not start with "/"`);
  if (raw === '/') return { kind: 'path', path: { segments: [], directoryOnly: false } };
  const directoryOnly = raw.endsWith('/');
  const segments: string[] = [];
  for (const part of raw.slice(1, directoryOnly ? -1 : undefined).split('/')) {
    const reading = decode(part);
    const why = reading.kind === 'refused' ? reading.why : whyNoSegment(reading.segment);
    if (why !== undefined) return refused(`the path ${quoted(raw)} ${why}`);
    if (reading.kind === 'segment') segments.push(reading.segment);
  }
  return { kind: 'path', path: { segments, directoryOnly } };
}

/**
 * `%2e%2e` is `..` and `%2f` is `/` once decoded, so the segment is judged after that. What still looks like an escape was
 * encoded twice (`%252e`), and a service that decodes twice would read something else.
 */
function whyNoSegment(segment: string): string | undefined {
  if (segment === '') return 'has "//" in it';
  if (segment === '.' || segment === '..') return `has the segment "${segment}", which can lead elsewhere`;
  if (segment.includes('/')) return 'has a segment with an encoded "/"';
  if (segment.includes('\\')) return 'has a segment with a backslash, which some take for "/"';
  if (/\p{Cc}/u.test(segment)) return 'has a control character in it';
  if (/%[0-9a-f]{2}/i.test(segment)) return 'is percent-encoded twice';
  return segment.isWellFormed() ? undefined : 'is not text';
}

function decodeSegment(part: string): SegmentReading {
  if (/%(?![0-9a-f]{2})/i.test(part)) return refused('has a "%" without two hexadecimal digits after it');
  try {
    return { kind: 'segment', segment: decodeURIComponent(part) };
  } catch {
    return refused('has escapes that are not UTF-8');
  }
}

/**
 * What no scope may have in it (RFC 6749 section 3.3), and `?` and `#`, which end the path for whoever reads it as one of a URL
 * (RFC 3986 section 3.3): `/a?b` would be `/a` there.
 */
const notForScopes = /[^\x21-\x7e]|["\\?#]/u;

/** RFC 3986 section 3.3: what a segment (`pchar`) has as it is; `encodeURIComponent` encodes more than that. */
const allowedAsIs = /%(?:24|26|2B|2C|3A|3B|3D|40)/g;

const encodeSegment = (segment: string): string => encodeURIComponent(segment).replace(allowedAsIs, decodeURIComponent);

const refused = (why: string) => ({ kind: 'refused', why }) as const;

/** In quotes, so that it shows where it begins and ends; whoever prints it makes it printable. */
const quoted = (raw: string): string => JSON.stringify(raw);

function nameOf(character: string): string {
  if (character === ' ') return 'a blank';
  return /\p{Cc}/u.test(character) ? 'a control character' : `the character ${quoted(character)}`;
}
