import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endWith, noted } from '../../src/cli/ending.ts';
import type { Output } from '../../src/cli/io.ts';
import { Fault } from '../../src/fault/fault.ts';

function heard(): { readonly output: Output; text(): string } {
  let text = '';
  const write = async (part: string) => {
    text += part;
  };
  return {
    output: { write, transient: async () => {}, isTTY: false, columns: 80 } as unknown as Output,
    text: () => text,
  };
}

test('what a fault quotes of others does nothing to a terminal, in no line of it and in no document', async () => {
  const token = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.c2ln`;
  const cause = new Fault('token-invalid', 'a cause with \u001b[2J in it');
  const hint = `it says \u009b31m\u202e${token}\n  tokeep get --issuer 'https://a.example'   # again\nlast\r`;
  const fault = new Fault('token-invalid', `the subject \u001b]0;x\u0007 ${token} is odd`, { hint, cause });
  const [stderr, stdout] = [heard(), heard()];
  await endWith(fault, stderr.output, { verbose: true, document: noted(stdout.output) });
  const lines = [
    'tokeep: the subject  ]0;x  [redacted] is odd',
    '  it says  31m [redacted]',
    "  tokeep get --issuer 'https://a.example'   # again",
    '  last',
    '  code: token-invalid',
    '  because: token-invalid: a cause with  [2J in it',
  ];
  assert.equal(stderr.text(), `${lines.join('\n')}\n`);
  const { error } = JSON.parse(stdout.text());
  assert.equal(error.message, 'the subject  ]0;x  [redacted] is odd');
  assert.equal(error.hint, "it says  31m [redacted]\ntokeep get --issuer 'https://a.example'   # again\nlast");
});
