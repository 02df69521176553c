import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable, printableJson, withoutTokens } from '../../src/observe/printable.ts';

/** What terminals obey: C0 and C1, and what turns the direction of writing. */
const obeyed = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

test('whatever stands in a token, a line of ours does nothing to a terminal', () => {
  assert.equal(printable('red \u001b[31m\u009b2J\u202eelif\r\n'), 'red  [31m 2J elif');
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.doesNotMatch(printable(text), obeyed)));
});

test('whatever stands in a token, JSON of ours does nothing to a terminal, and means what it meant', () => {
  assert.equal(printableJson({ sub: 'a\u009b2J\u202e\n' }), '{\n  "sub": "a\\u009b2J\\u202e\\n"\n}');
  const odd = fc.string({
    unit: fc.constantFrom('a', '"', '\\', '\n', '\u001b', '\u007f', '\u009b', '\u202e', '\u2028'),
  });
  fc.assert(
    fc.property(fc.dictionary(odd, fc.array(odd)), (value) => {
      const text = printableJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.doesNotMatch(text.replaceAll('\n', ''), obeyed);
    }),
  );
});

test('a document loses what looks like a token, in texts and in names, and nothing else', () => {
  const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.sig`;
  const value = { sub: `x ${token}`, [token]: [token, 1, null, { a: true }], plain: 'eyJ', '\u000e': 'yJabcdefghijkl' };
  const without = { sub: 'x [redacted]', '[redacted]': ['[redacted]', 1, null, { a: true }] };
  assert.deepEqual(withoutTokens(value), { ...without, plain: 'eyJ', '\u000e': 'yJabcdefghijkl' });
});
