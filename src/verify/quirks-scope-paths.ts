import { canonicalPath } from './areas.ts';
import { type Refused, refusedFor } from './explanation.ts';

/** How a release of libscitokens reads the paths of scopes: as they are written, or each segment percent-decoded (since 1.4.1). */
export type PathHabit = 'as written' | 'decoded';

export interface LibraryPath {
  readonly kind: 'path';
  readonly path: string;
  readonly remarks: readonly string[];
}

/** What libscitokens makes of the path of a scope; `raw` is undefined where the scope has no colon. */
export function libraryPath(scope: string, raw: string | undefined, habit: PathHabit): LibraryPath | Refused {
  const remarks: string[] = [];
  if (raw === undefined || raw === '') remarks.push(`${scope} has no path and holds for "/" and all below it here`);
  else if (!raw.startsWith('/')) remarks.push(`the path of ${scope} does not start with "/" and is taken as if it did`);
  if (raw !== undefined && raw.length > 1 && raw.endsWith('/'))
    remarks.push(`the slash at the end of ${scope} is dropped, so that it holds for a file of that name too`);
  const whole = raw ?? '';
  if (habit === 'as written') {
    if (whole.includes('%'))
      remarks.push(`percent-encoding in ${scope} is not decoded, so that it fits no ordinary path`);
    if (/(^|\/)\.\.(\/|$)/.test(whole)) remarks.push(`".." in ${scope} is followed instead of refused`);
    return { kind: 'path', path: canonicalPath(whole), remarks };
  }
  const segments = whole.split('/').map(decoded);
  if (segments.some((segment) => segment === undefined || /^\.\.$|[/\\\0]/.test(segment))) {
    return refusedFor(
      scope,
      `the path of ${scope} leads elsewhere or is badly encoded, and that spoils the whole scope claim`,
      {
        log: "'scope' claim verification failed.",
        fix: 'ask for a scope with a plain, absolute path',
        turn: 'user',
      },
    );
  }
  return { kind: 'path', path: canonicalPath(segments.join('/')), remarks };
}

/** Up to four times; undefined if there is an escape left, or one that is none. */
function decoded(segment: string): string | undefined {
  let bytes = Buffer.from(segment).toString('latin1');
  for (let pass = 0; pass < 4 && bytes.includes('%'); pass += 1) {
    if (/%(?![0-9a-f]{2})/i.test(bytes)) return undefined;
    bytes = bytes.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  }
  return bytes.includes('%') ? undefined : Buffer.from(bytes, 'latin1').toString();
}
