import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters, styleText } from 'node:util';
import type { ConfigFinding } from '../../src/config/config.ts';
import { narrowed, type StatusReport, statusExit, statusReport } from '../../src/observe/status.ts';
import { statusJson } from '../../src/observe/status-json.ts';
import { statusNagios, unknownNagios } from '../../src/observe/status-nagios.ts';
import { statusTable } from '../../src/observe/status-table.ts';
import type { WishName } from '../../src/token/names.ts';
import { after, days, hours, millis, minutes } from '../../src/token/time.ts';
import {
  account,
  accountRecord,
  deliveryRecord,
  downIssuer,
  expiredAt,
  noon,
  records,
  trouble,
  wanted,
  wish,
  wishRecord,
} from './samples.ts';

const same = (text: string) => text;
const paint = { good: same, bad: same, warn: same, dim: same, bold: same };
const table = (report: StatusReport, all = false) => statusTable(report, { paint, columns: 80, all });

const dead = trouble('login-needed', { who: 'user', nextTry: null, sentence: 'the refresh token was revoked' });
const setting = wanted([account('atlas'), account('dune')], [wish('mon', 'atlas'), wish('copy', 'dune')]);
const troubled = statusReport(
  records({
    wishes: [
      wishRecord('mon', 'atlas'),
      wishRecord('copy', 'dune', { trouble: dead, failures: 3, ...expiredAt(after(noon, hours(-3))) }),
    ],
    accounts: [
      accountRecord('atlas', { expiry: { kind: 'known', at: after(noon, days(29)), from: 'exp' } }),
      accountRecord('dune', { login: 'dead', trouble: dead }),
    ],
    deliveries: [deliveryRecord('mon'), deliveryRecord('copy', { delivered: 'older' })],
  }),
  setting,
  noon,
);

const calm = statusReport(
  records({
    wishes: [wishRecord('mon', 'atlas')],
    accounts: [accountRecord('atlas')],
    deliveries: [deliveryRecord('mon')],
  }),
  wanted([account('atlas')], [wish('mon', 'atlas')]),
  noon,
);

test('people first read what is wrong, whose turn it is and what to run, then the wishes', () => {
  assert.equal(
    table(troubled),
    `!! the refresh token was revoked
   your turn: somebody with this login; for 5 min
   concerns copy
   run: tokeep account login dune

TOKEN  ACCOUNT  STATE    EXPIRES    NEXT      TARGETS
mon    atlas    valid    in 30 min  in 5 min  1/1
copy   dune     expired  expired    -         0/1

login of atlas: until 2026-03-30T12:00:00Z
login of dune: how long it lives is not known
`,
  );
});

test('with everything in order the report says so', () => {
  assert.match(table(calm), /^all is well\n/);
  assert.equal(statusExit(calm), 0);
});

test('long names are cut so that every line of the table keeps to 80 columns', () => {
  const long = `ce-${'x'.repeat(70)}.tier1.example.org`;
  const report = statusReport(
    records({ wishes: [wishRecord(long, 'atlas')] }),
    wanted([account('atlas', {})], [wish(long, 'atlas')]),
    noon,
  );
  const rows = table(report)
    .split('\n')
    .filter((line) => /^(TOKEN|ce-)/.test(line));
  assert.equal(rows.length, 2);
  for (const row of rows) assert.ok(row.length <= 80, `${row.length}: ${row}`);
  assert.match(rows[1] ?? '', /^ce-x+….*example\.org/);
});

test('of 10,000 wishes only those that are not well are listed, unless all are asked for', () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `w${n}`);
  const report = statusReport(
    records({
      wishes: names.map((name, n) =>
        wishRecord(
          name,
          'atlas',
          n === 7 ? { trouble: trouble('issuer-fault', { nextTry: after(noon, hours(2)) }) } : {},
        ),
      ),
      accounts: [accountRecord('atlas')],
    }),
    wanted(
      [account('atlas')],
      names.map((name) => wish(name, 'atlas')),
    ),
    noon,
  );
  const short = table(report);
  assert.ok(short.split('\n').length < 20, short);
  assert.match(short, /\nw7 +atlas +retrying/);
  assert.match(short, /10000 tokens: 9999 valid, 1 retrying/);
  assert.equal(
    table(report, true)
      .split('\n')
      .filter((line) => /^w\d+ /.test(line)).length,
    10_000,
  );
  const named = narrowed(report, ['w7' as WishName]);
  assert.equal(named.wishes.length, 1);
  assert.ok(named.conditions.length > 0);
  const other = narrowed(report, ['w8' as WishName]);
  assert.deepEqual(other.conditions, []);
  assert.ok(named.conditions.every(({ subject }) => subject.name === 'w7'));
});

test('the report about one wish keeps the cause of its trouble, though the cause is another subject', () => {
  const about = narrowed(troubled, ['copy' as WishName]);
  assert.equal(about.conditions[0]?.key, 'account:dune:login');
  assert.equal(statusExit(narrowed(troubled, ['mon' as WishName])), 0);
});

test('colours mark lines and change no text', () => {
  const bold = { ...paint, bad: (text: string) => styleText('red', text, { validateStream: false }) };
  const coloured = statusTable(troubled, { paint: bold, columns: 80, all: false });
  assert.equal(stripVTControlCharacters(coloured), table(troubled));
  assert.notEqual(coloured, table(troubled));
});

test('the JSON form has stable keys and plain times', () => {
  const parsed = JSON.parse(statusJson(troubled));
  assert.deepEqual(Object.keys(parsed), [
    'version',
    'at',
    'config',
    'exit',
    'totals',
    'conditions',
    'wishes',
    'accounts',
    'issuers',
  ]);
  assert.equal(parsed.exit, 5);
  assert.deepEqual(parsed.wishes[1], {
    name: 'copy',
    account: 'dune',
    state: 'expired',
    expires: '2026-03-01T09:00:00Z',
    next: null,
    failures: 3,
    renewals: 1,
    targets: [{ id: 'file:/run/tokeep/copy', state: 'outdated', delivered: '2026-03-01T11:30:00Z' }],
  });
  assert.equal(parsed.conditions[0].hint, 'run: tokeep account login dune');
});

test('what began within this second is said to be just now, in letters that every terminal has', () => {
  const waiting = trouble('issuer-unreachable', {
    who: 'wait',
    nextTry: after(noon, millis(729)),
    since: after(noon, millis(-883)),
    sentence: 'no connection',
  });
  const [wishes, accounts] = [
    [wishRecord('mon', 'atlas', { trouble: waiting, failures: 1 })],
    [accountRecord('atlas')],
  ];
  const at = wanted([account('atlas')], [wish('mon', 'atlas')]);
  const text = table(statusReport(records({ wishes, accounts, deliveries: [deliveryRecord('mon')] }), at, noon));
  assert.match(text, /nobody's turn: it is tried again; just now; next try now/);
  assert.match(text, /^[\n\x20-\x7e]*$/);
});

test('the plugin line has one sentence, performance data and a status of 0, 1, 2 or 3', () => {
  assert.deepEqual(statusNagios(calm), {
    line: 'TOKEEP OK - 1 token kept | valid=1;;;0;1 due=0;;;0;1 retrying=0;;;0;1 stuck=0;;;0;1 expired=0;;;0;1 waiting=0;;;0;1 shortest_life=1800s\n',
    status: 0,
  });
  const bad = statusNagios(troubled);
  assert.equal(bad.status, 2);
  assert.match(bad.line, /^TOKEEP CRITICAL - the refresh token was revoked \| /);
  assert.deepEqual(unknownNagios('the state | is busy'), { line: 'TOKEEP UNKNOWN - the state / is busy\n', status: 3 });
  const down = statusReport(
    records({ issuers: [downIssuer], accounts: [accountRecord('atlas')] }),
    wanted([account('atlas')], []),
    noon,
  );
  assert.equal(statusNagios(down).status, 1);
});

test("users' own faults at an access point are shown as theirs, and wake nobody", () => {
  const ofUsers = { ...wanted([{ ...account('alice/mytok'), newLogin: 'n' }], [wish('alice/mytok', 'alice/mytok')]) };
  const stored = records({ accounts: [accountRecord('alice/mytok', { login: 'dead', trouble: dead })] });
  const report = statusReport(stored, { ...ofUsers, ofUsers: true }, noon);
  assert.match(statusNagios(report).line, /^TOKEEP WARNING - alice\/mytok: the refresh token was revoked/);
  assert.equal(statusNagios(report).status, 1);
  assert.match(table(report), /the turn of alice/);
  assert.equal(statusNagios(statusReport(stored, ofUsers, noon)).status, 2);
  const empty = statusReport(records({}), { ...wanted([], []), ofUsers: true }, noon);
  assert.match(table(empty), /no job has asked for a token yet/);
  const unseen = statusReport(
    records({ accounts: [accountRecord('alice/mytok')] }),
    { ...ofUsers, ofUsers: true },
    noon,
  );
  assert.match(unseen.conditions[0]?.hint ?? '', /whether the credmon runs/);
});

test('the exit code is that of the worst: configuration before person before temporary', () => {
  const finding: ConfigFinding = {
    severity: 'error',
    code: 'config-invalid',
    at: { file: 'c', line: 1, column: 1 },
    message: 'x',
  };
  const exitWith = (more: Parameters<typeof records>[0], findings: readonly ConfigFinding[] = []) =>
    statusExit(statusReport(records(more), wanted([account('atlas')], [wish('mon', 'atlas')], findings), noon));
  const ready = [accountRecord('atlas')];
  const fetched = [wishRecord('mon', 'atlas')];
  assert.equal(exitWith({ accounts: ready, issuers: [downIssuer], wishes: fetched }), 4);
  const mild = wishRecord('mon', 'atlas', { trouble: trouble('issuer-fault', { nextTry: after(noon, minutes(1)) }) });
  assert.equal(exitWith({ accounts: ready, wishes: [mild] }), 0);
  assert.equal(exitWith({ accounts: [accountRecord('atlas', { login: 'dead' })], issuers: [downIssuer] }), 5);
  assert.equal(exitWith({ accounts: [accountRecord('atlas', { login: 'dead' })] }, [finding]), 3);
  assert.equal(exitWith({ accounts: ready, wishes: fetched }, [{ ...finding, severity: 'warning' }]), 0);
});

test('tokens that no pass has seen are said to have never been fetched, with what to run', () => {
  const config = wanted([account('atlas')], [wish('mon', 'atlas'), wish('copy', 'atlas')]);
  const logins = [accountRecord('atlas')];
  const [unseen] = statusReport(records({ accounts: logins }), config, noon).conditions;
  assert.equal(unseen?.sentence, '2 tokens were never fetched');
  assert.equal(unseen?.severity, 'warning');
  assert.match(unseen?.hint ?? '', /tokeep renew/);
  const waiting = ['mon', 'copy'].map((name) => wishRecord(name, 'atlas', { token: null }));
  const one = narrowed(statusReport(records({ accounts: logins }), config, noon), ['mon' as WishName]);
  assert.equal(one.conditions[0]?.sentence, 'the token mon was never fetched');
  const [coming] = statusReport(records({ accounts: logins, wishes: waiting }), config, noon).conditions;
  assert.equal(coming?.severity, 'notice', 'they are about to be');
});
