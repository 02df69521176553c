/**
 * What `condor_config_val -dump -expanded -verbose` prints, as values by name in lower case.
 *
 * Each knob is `NAME = value`, or `NAME @=end`, its lines indented by three blanks, and `@end`; below it come lines such as ` # at: FILE`.
 * A value that got its line ends by naming another knob stands there raw, so that its second line may look like a knob of its own:
 * only what follows the lines of ` # ` is one. That is why the dump is asked for with `-verbose`.
 */
export function knobsOfDump(text: string): ReadonlyMap<string, string> {
  const knobs = new Map<string, string>();
  let entry: string[] = [];
  let between = true;
  for (const line of text.split('\n')) {
    const remark = line.startsWith(' # ');
    if (remark && !between) {
      keep(knobs, entry);
      entry = [];
    }
    between = remark || (between && startsNothing(line));
    if (!between) entry.push(line);
  }
  return forCredmon(knobs);
}

const ours = 'credmon_oauth.';

/** `CREDMON_OAUTH.NAME` is NAME for the daemon CREDMON_OAUTH alone; the dump goes by it only for a NAME that is also set by itself. */
const forCredmon = (knobs: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([
    ...knobs,
    ...[...knobs].flatMap(([name, value]) =>
      name.startsWith(ours) ? [[name.slice(ours.length), value] as const] : [],
    ),
  ]);

/** The comment at the top, and blank lines between knobs. */
const startsNothing = (line: string): boolean => line === '' || line.startsWith('#');

function keep(knobs: Map<string, string>, [first = '', ...rest]: readonly string[]): void {
  const [, name, sign, value] = /^(\S+) (@=end|=)\s?(.*)$/.exec(first) ?? [];
  if (name === undefined || value === undefined) return;
  const lines = sign === '=' ? [value, ...rest] : rest.slice(0, -1).map((line) => line.replace(/^ {3}/, ''));
  knobs.set(name.toLowerCase(), lines.join('\n').trim());
}

/** The files that `condor_config_val -config` names. What is a program instead of a file has no time of change. */
export const filesOfList = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('/') && !line.endsWith('|'));
