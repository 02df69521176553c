import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasControlCharacter } from '../../src/token/control-character.ts';

test('control characters are those below the blank, and DEL; no other character is one', () => {
  const found = Array.from({ length: 0x1_0000 }, (_, code) => code).filter((code) =>
    hasControlCharacter(`a${String.fromCharCode(code)}b`),
  );
  assert.deepEqual(found, [...Array.from({ length: 0x20 }, (_, code) => code), 0x7f]);
  assert.ok(!hasControlCharacter('😀'));
});
