import { type LogEventName, logEvents } from '../../src/observe/log-events.ts';

/** `docs/events.md`, made from the table of events. */
export function eventsPage(): string {
  const names = (Object.keys(logEvents) as LogEventName[]).sort();
  return [
    '# Log events',
    '',
    'Every line tokeep logs is one of these. Names and fields are stable. With `--json` each line is one object with `time`, `level`,',
    '`event`, the fields below (times as text, a length `x` as `xSeconds`) and `message`, the sentence. A field in `[…]` may be absent.',
    'This page is generated from `src/observe/log-events.ts` (`TOKEEP_WRITE_DOCS=1 node --test test/observe/log.test.ts`).',
    '',
    '| event | level | fields | sentence |',
    '|---|---|---|---|',
    ...names.map((name) => {
      const { level, fields, sentence } = logEvents[name];
      const listed = Object.entries<string>(fields).map(([field, kind]) =>
        kind.endsWith('?') ? `[${field}: ${kind.slice(0, -1)}]` : `${field}: ${kind}`,
      );
      return `| \`${name}\` | ${level} | ${listed.join(', ')} | ${sentence} |`;
    }),
    '',
  ].join('\n');
}
