import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { type Discovered, discoverToken } from '../../src/discover/discover-token.ts';
import { tokenText } from '../../src/discover/token-text.ts';
import { Fault } from '../../src/fault/fault.ts';
import { realFiles } from '../../src/world/real-files.ts';

const me = process.geteuid?.() ?? -1;
/** A user nobody has, so that the file in `/tmp` is the test's own. */
const uid = 4_000_000_000 + (process.pid % 100_000);
const fallback = `/tmp/bt_u${uid}`;
let directory: string;
let given: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'discover-'));
  given = join(directory, 'given');
});
afterEach(() => {
  rmSync(directory, { recursive: true });
  rmSync(fallback, { force: true, recursive: true });
});

function put(path: string, content: string | Buffer): void {
  writeFileSync(path, content);
  chmodSync(path, 0o600);
}
const look = (env: Record<string, string>, as = uid): Promise<Discovered> =>
  discoverToken({ env, files: realFiles, uid: as });
const textOf = (found: Discovered): string => (found.kind === 'found' ? found.token.reveal() : found.kind);
const stepOf = (found: Discovered): string => (found.kind === 'found' ? found.step : found.kind);
const invalid = (pattern: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof Fault, String(thrown));
  assert.equal(thrown.code, 'discovery-invalid');
  assert.match(thrown.message, pattern);
  return true;
};

test('the order is BEARER_TOKEN, BEARER_TOKEN_FILE, XDG_RUNTIME_DIR, /tmp', async () => {
  put(given, 'from-file');
  put(join(directory, `bt_u${me}`), 'from-runtime');
  const env = { BEARER_TOKEN: 'from-env', BEARER_TOKEN_FILE: given, XDG_RUNTIME_DIR: directory };
  assert.equal(textOf(await look(env, me)), 'from-env');
  assert.equal(textOf(await look({ ...env, BEARER_TOKEN: '' }, me)), 'from-file');
  assert.equal(textOf(await look({ XDG_RUNTIME_DIR: directory }, me)), 'from-runtime');
  assert.deepEqual(await look({ XDG_RUNTIME_DIR: directory }), {
    kind: 'none',
    looked: [
      { step: 'BEARER_TOKEN', found: 'not set' },
      { step: 'BEARER_TOKEN_FILE', found: 'not set' },
      { step: 'XDG_RUNTIME_DIR', path: join(directory, `bt_u${uid}`), found: 'no file' },
      { step: '/tmp', path: fallback, found: 'no file' },
    ],
  });
});

test('what is unset, missing or empty goes on; /tmp is looked at even with XDG_RUNTIME_DIR set', async (t) => {
  if (me !== 0) t.diagnostic('not root: the file in /tmp is a stranger to the made-up user');
  put(given, ' \f\n\r\t\v');
  put(fallback, 'last\n');
  const found = await look({ BEARER_TOKEN: ' \n', BEARER_TOKEN_FILE: given, XDG_RUNTIME_DIR: directory }).catch(
    (fault: Fault) => fault.message,
  );
  if (typeof found === 'string') assert.match(found, /belongs to user/);
  else assert.equal(stepOf(found), '/tmp');
});

const corpus: readonly { name: string; content: string | Buffer; gives: string | RegExp }[] = [
  { name: 'a line end', content: 'abc\n', gives: 'abc' },
  { name: 'CRLF', content: 'abc\r\n', gives: 'abc' },
  { name: 'all C99 white space', content: ' \f\n\r\t\vabc.def-_~+/==\v\t\r\n\f ', gives: 'abc.def-_~+/==' },
  { name: 'one letter', content: 'a', gives: 'a' },
  { name: 'a byte order mark', content: '\uFEFFabc', gives: /byte order mark/ },
  { name: 'a no-break space after it', content: 'abc\u00A0', gives: /bytes that no token has/ },
  { name: 'a line separator after it', content: 'abc\u2028', gives: /bytes that no token has/ },
  { name: 'UTF-16', content: Buffer.from('\uFEFFabc', 'utf16le'), gives: /bytes that no token has/ },
  { name: 'a NUL', content: 'abc\0', gives: /bytes that no token has/ },
  { name: 'two tokens', content: 'abc def', gives: /more than one word/ },
  { name: 'two tokens in two lines', content: 'abc\r\ndef\r\n', gives: /more than one word/ },
  { name: 'the header', content: 'Bearer abc', gives: /more than one word/ },
  { name: 'JSON', content: '{"access_token":"abc"}', gives: /characters that no token has/ },
  { name: 'padding in the middle', content: 'ab=c', gives: /characters that no token has/ },
  { name: 'only padding', content: '==', gives: /characters that no token has/ },
  { name: '16 KiB less one', content: 'a'.repeat(16_383), gives: 'a'.repeat(16_383) },
  { name: '16 KiB', content: 'a'.repeat(16_384), gives: /16 KiB or more/ },
  { name: '1 MB', content: 'a'.repeat(1_000_000), gives: /16 KiB or more/ },
];

for (const { name, content, gives } of corpus) {
  test(`scenario 40: a file with ${name}`, async () => {
    put(given, content);
    put(join(directory, `bt_u${me}`), content);
    for (const env of [{ BEARER_TOKEN_FILE: given }, { XDG_RUNTIME_DIR: directory }]) {
      if (typeof gives === 'string') assert.equal(textOf(await look(env, me)), gives);
      else await assert.rejects(look(env, me), invalid(gives));
    }
  });
}

test('an invalid BEARER_TOKEN stops the search, and the message does not quote it', async () => {
  put(given, 'abc');
  const env = { BEARER_TOKEN: 'canary canary', BEARER_TOKEN_FILE: given };
  await assert.rejects(look(env), (thrown) => {
    assert.ok(!String(thrown).includes('canary'));
    return invalid(/BEARER_TOKEN holds no token/)(thrown);
  });
});

test('scenario 39: a default place is never followed, never waited for, never taken from a stranger', async () => {
  const place = join(directory, `bt_u${me}`);
  const env = { XDG_RUNTIME_DIR: directory };
  put(given, 'abc');
  symlinkSync(given, place);
  await assert.rejects(look(env, me), invalid(/symbolic link/));
  rmSync(place);
  execFileSync('/usr/bin/mkfifo', [place]);
  await assert.rejects(look(env, me), invalid(/not a plain file but a fifo/));
  rmSync(place);
  mkdirSync(place);
  await assert.rejects(look(env, me), invalid(/not a plain file but a directory/));
});

test('a file of another user is refused in a default place', async () => {
  put(join(directory, `bt_u${uid}`), 'abc');
  if (me === 0) execFileSync('chown', ['1234', join(directory, `bt_u${uid}`)]);
  await assert.rejects(look({ XDG_RUNTIME_DIR: directory }), invalid(/belongs to user \d+, not to user 4/));
});

test('BEARER_TOKEN_FILE may be a link, and may not be a FIFO', async () => {
  put(given, 'abc');
  symlinkSync(given, join(directory, 'link'));
  assert.equal(textOf(await look({ BEARER_TOKEN_FILE: join(directory, 'link') })), 'abc');
  execFileSync('/usr/bin/mkfifo', [join(directory, 'fifo')]);
  await assert.rejects(look({ BEARER_TOKEN_FILE: join(directory, 'fifo') }), invalid(/a fifo/));
});

test('a file that others may read is warned of, and refused when strict', async () => {
  writeFileSync(given, 'abc');
  chmodSync(given, 0o644);
  const env = { BEARER_TOKEN_FILE: given };
  const found = await look(env);
  assert.equal(found.kind === 'found' && found.warnings.length, 1);
  await assert.rejects(discoverToken({ env, files: realFiles, uid, strict: true }), invalid(/mode 0644/));
});

test('whatever is in a file, it is a token of RFC 6750, empty, or invalid, and white space around it changes nothing', () => {
  const space = fc.string({ unit: fc.constantFrom(' ', '\f', '\n', '\r', '\t', '\v'), maxLength: 5 });
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), space, space, (text, before, after) => {
      const judged = tokenText(before + text + after);
      assert.deepEqual(judged, tokenText(text));
      if (judged.kind === 'token') assert.match(judged.text, /^[A-Za-z0-9._~+/-]+=*$/);
    }),
  );
});

test('blanks without end in the middle are judged as fast as anything else', () => {
  const began = performance.now();
  assert.equal(tokenText(`x${' '.repeat(100_000)}x`).kind, 'invalid');
  assert.ok(performance.now() - began < 1_000);
});
