import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createLogger, type LogFormat, logFormat } from '../../src/observe/log.ts';
import { type Level, type LogEventName, logEvents } from '../../src/observe/log-events.ts';
import { Secret } from '../../src/token/secret.ts';
import { epoch, hours, millis } from '../../src/token/time.ts';
import { eventsPage } from './events-page.ts';

const noon = epoch(Date.UTC(2026, 2, 1, 12));

function collecting(format: LogFormat, threshold: Level = 'info') {
  const lines: string[] = [];
  const logger = createLogger({ format, threshold, clock: { now: () => noon }, write: (line) => lines.push(line) });
  return { logger, lines };
}

test('every place gets the same sentence in its own form', () => {
  const fields = {
    wish: 'monitoring',
    account: 'atlas',
    expiresAt: epoch(noon + 3_600_000),
    renewAt: epoch(noon + 1_800_000),
  };
  const told = (format: LogFormat) => {
    const { logger, lines } = collecting(format);
    logger.event('token-renewed', fields);
    return lines.join('');
  };
  const sentence =
    'renewed monitoring from account atlas, good until 2026-03-01T13:00:00Z, next renewal 2026-03-01T12:30:00Z';
  assert.equal(told('terminal'), `tokeep: ${sentence}\n`);
  assert.equal(told('plain'), `2026-03-01T12:00:00Z info token-renewed: ${sentence}\n`);
  assert.equal(told('journal'), `<6>token-renewed: ${sentence}\n`);
  assert.deepEqual(JSON.parse(told('json')), {
    time: '2026-03-01T12:00:00Z',
    level: 'info',
    event: 'token-renewed',
    wish: 'monitoring',
    account: 'atlas',
    expiresAt: '2026-03-01T13:00:00Z',
    renewAt: '2026-03-01T12:30:00Z',
    message: sentence,
  });
});

test('a part of the sentence whose field is absent is left out', () => {
  const { logger, lines } = collecting('terminal');
  logger.event('issuer-back', { issuer: 'https://[::1]/', downFor: hours(47) });
  logger.event('issuer-back', { issuer: 'https://[::1]/' });
  assert.deepEqual(lines, [
    'tokeep: issuer https://[::1]/ is back after 47 h\n',
    'tokeep: issuer https://[::1]/ is back\n',
  ]);
});

test('scenario 44: neither a secret nor foreign control characters reach the log, in any format', () => {
  const canary = 'canary-3d1f9b';
  const jwt = `eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.${canary}`;
  for (const format of ['terminal', 'plain', 'journal', 'json'] as const) {
    const { logger, lines } = collecting(format);
    const reason = `the issuer said ${jwt}\n<0>root: all is lost\u001b[2J\u202e`;
    const secret = new Secret('refresh_token', canary);
    logger.event('login-needed', { account: `${secret}`, reason, hint: 'x', extra: secret } as never);
    logger.event('login-needed', { account: secret as never, reason, hint: 'x' });
    assert.equal(lines.length, 2);
    for (const line of lines) {
      assert.ok(!line.includes(canary), line);
      assert.equal(line.indexOf('\n'), line.length - 1);
      assert.ok(!line.includes('\u001b') && !line.includes('\u202e'));
    }
  }
});

test('events below the threshold are left out', () => {
  const { logger, lines } = collecting('terminal', 'warning');
  logger.event('stopped', {});
  logger.event('clock-jumped', { by: millis(7200_000) });
  assert.equal(lines.length, 1);
});

test('the journal is told priorities when systemd says that it reads', () => {
  const place = { json: false, terminal: false };
  assert.equal(logFormat({ JOURNAL_STREAM: '8:1' }, place), 'journal');
  assert.equal(logFormat({ INVOCATION_ID: 'x' }, place), 'journal');
  assert.equal(logFormat({}, place), 'plain');
  assert.equal(logFormat({}, { json: false, terminal: true }), 'terminal');
  assert.equal(logFormat({ JOURNAL_STREAM: '8:1' }, { json: true, terminal: false }), 'json');
});

test('every field of an event stands in its sentence, or is plainly for filters', () => {
  for (const name of Object.keys(logEvents) as LogEventName[]) {
    const { sentence, fields } = logEvents[name];
    for (const [, field] of sentence.matchAll(/\{(\w+)\}/g)) {
      assert.ok(field !== undefined && field in fields, `${name} names {${field}}`);
    }
    for (const field of Object.keys(fields)) {
      assert.ok(['code', 'key', 'stage'].includes(field) || sentence.includes(`{${field}}`), `${name}.${field}`);
    }
  }
});

test('docs/events.md lists exactly the events of the table', async () => {
  const page = new URL('../../docs/events.md', import.meta.url);
  if (process.env['TOKEEP_WRITE_DOCS'] === '1') await writeFile(page, eventsPage());
  assert.equal(await readFile(page, 'utf8'), eventsPage());
});
