import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { wrapCommand, wrapText } from '../../src/cli/demo/wrap.ts';

test('a line is broken at blanks, colours count for nothing, and a word that is too long stays whole', () => {
  assert.equal(wrapText('one  two', { columns: 8, indent: '  ' }), 'one  two');
  assert.equal(wrapText('one  two three', { columns: 9, indent: '  ' }), 'one  two\n  three');
  assert.equal(wrapText('\u001b[2m1.0 s\u001b[22m  on', { columns: 9, indent: '  ' }), '\u001b[2m1.0 s\u001b[22m  on');
  assert.equal(wrapText('at https://a.example is', { columns: 8, indent: ' ' }), 'at\n https://a.example\n is');
  assert.equal(wrapText('', { columns: 8, indent: ' ' }), '');
});

test('a command that goes over several lines is still the same command for a shell', () => {
  const shown = wrapCommand(['printf', "'%s|'", "'a b'", 'cc', "'d  e'", 'f'], 16);
  assert.ok(shown.split('\n').length > 2 && shown.split('\n').every((line) => line.length <= 16), shown);
  assert.equal(execFileSync('/bin/sh', ['-c', shown.slice(2)], { encoding: 'utf8' }), 'a b|cc|d  e|f|');
});
