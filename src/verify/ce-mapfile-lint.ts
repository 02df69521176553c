import { nearest } from '../fault/nearest.ts';
import type { MapfileFinding, MapfileLine } from './ce-mapfile.ts';

/**
 * The mistakes that mapfiles for tokens have in practice: patterns that fit more than they are meant for, or nothing at all. Only
 * lines for SCITOKENS are looked at, and the methods of the others.
 */
export function doubtsAbout(line: MapfileLine): readonly MapfileFinding[] {
  if (line.method !== 'SCITOKENS') return doubtsOfMethod(line);
  const { file, line: number, principal } = line;
  const broken = brokenUser(line);
  if (broken !== undefined) return [{ file, line: number, severity: 'error', message: broken }];
  const found =
    principal.kind === 'exact'
      ? doubtsOfExact(principal.text)
      : principal.kind === 'unknown'
        ? [`it cannot be judged here: ${principal.why}`]
        : doubtsOfPattern(principal.source);
  return found.map((message) => ({ file, line: number, severity: 'warning', message }));
}

/** Those of HTCondor's own list (SEC_DEFAULT_AUTHENTICATION_METHODS), by which a mapfile may map. */
const methods = [
  'SCITOKENS',
  'SSL',
  'GSI',
  'FS',
  'FS_REMOTE',
  'KERBEROS',
  'PASSWORD',
  'IDTOKENS',
  'TOKEN',
  'TOKENS',
  'CLAIMTOBE',
  'MUNGE',
  'NTSSPI',
  'ANONYMOUS',
];

function doubtsOfMethod({ file, line, method }: MapfileLine): readonly MapfileFinding[] {
  if (methods.includes(method)) return [];
  const guess = nearest(method, methods);
  const meant = guess === undefined ? '' : ` (did you mean ${guess}?)`;
  const message = `${method} is no method of authentication${meant}, so that the line fits nobody`;
  return [{ file, line, severity: 'warning', message }];
}

/** The line counts for HTCondor, and gives whoever it fits a user that there cannot be. */
function brokenUser({ principal, canonical }: MapfileLine): string | undefined {
  if (canonical.endsWith('\r')) return 'the line ends as in Windows, and the carriage return becomes part of the user';
  if (principal.kind === 'exact' || !canonical.startsWith('/')) return undefined;
  return (
    `the pattern ends at its first "/" without a backslash: it is only "${principal.source}", and whoever it fits becomes ` +
    `"${canonical}"; write \\/ for each slash inside`
  );
}

/** Without slashes around it, a pattern is compared as it stands and fits no token. */
function doubtsOfExact(text: string): readonly string[] {
  if (/^\^|\$$|\.\*|\\[./]/.test(text)) {
    return ['it looks like a pattern but is not between slashes, so that it is compared as it stands'];
  }
  if (!text.includes(',')) return ['it has no comma, so that it is no issuer with a subject, and fits no token'];
  return [];
}

function doubtsOfPattern(source: string): readonly string[] {
  if (catchAll.test(source)) return [];
  const doubts: string[] = [];
  if (!/^(?:\(\?i\))?(?:\^|\\A)/.test(source)) {
    doubts.push('the pattern does not begin with "^", so that it also fits an issuer that has this somewhere inside');
  }
  const comma = commaAt(source);
  const issuer = comma < 0 ? source : source.slice(0, comma);
  const dot = /(?:^|[^\\])((?:\\\\)*)\.(?![*+?{])/.exec(issuer.replace(/\[[^\]]*\]/g, ''));
  if (dot !== null) {
    doubts.push('a "." of the issuer has no backslash before it and stands for any character: another host may fit');
  }
  if (comma < 0) {
    doubts.push('there is no "," after the issuer, so that any issuer that begins like it fits; write ISSUER,SUBJECT');
    return doubts;
  }
  const subject = source.slice(comma + 1);
  if (subject !== '' && !/(?:\$|\\[zZ]|\.\*|\.\+)\)*$/.test(subject)) {
    doubts.push('there is no "$" after the subject, so that any subject that begins like it fits');
  }
  return doubts;
}

/** Everybody, as a line for plugins has it. */
const catchAll = /^\^?\(?\.[*+]\)?\$?$/;

/** The first comma that is one: not in brackets, not in braces. */
function commaAt(source: string): number {
  const bare = source.replace(/\\.|\[[^\]]*\]|\{\d*,\d*\}/gs, (part) => 'x'.repeat(part.length));
  const plain = bare.indexOf(',');
  const escaped = source.indexOf('\\,');
  return plain < 0 ? (escaped < 0 ? -1 : escaped + 1) : plain;
}
