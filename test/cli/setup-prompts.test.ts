import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { CliIo, Output } from '../../src/cli/io.ts';
import { linePrompts } from '../../src/cli/line-prompts.ts';
import { promptsFor } from '../../src/cli/prompts.ts';

/** A terminal that remembers what was shown, and when it was in raw mode. */
function terminal(isTTY: boolean) {
  const shown: string[] = [];
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: (on: boolean) => raw.push(on) });
  const output: Output = { isTTY, columns: 80, transient: () => {}, write: async (text) => void shown.push(text) };
  const io: CliIo = { stdin, stdinGiven: !isTTY, stdout: output, stderr: output, env: {} };
  return { io, stdin, shown, raw };
}

test('answers that all come in one piece are handed out one by one', async () => {
  const { io, stdin } = terminal(false);
  using prompts = linePrompts(io);
  stdin.end('one\r\n two \nse\\cret \n\nlast\n');
  assert.equal(await prompts.line('1: '), 'one');
  assert.equal(await prompts.line('2: '), 'two');
  assert.equal(await prompts.hidden('3: '), 'se\\cret ');
  assert.equal(await prompts.line('4: '), '');
  assert.equal(await prompts.line('5: '), 'last');
  await assert.rejects(prompts.line('6: '), { code: 'usage', message: /the input ended where "6:"/ });
});

test('answers that come in small pieces, cut inside a letter, are whole', async () => {
  const { io, stdin } = terminal(false);
  using prompts = linePrompts(io);
  const answer = prompts.line('name: ');
  for (const byte of Buffer.from('Jürgen\n')) stdin.write(Buffer.of(byte));
  assert.equal(await answer, 'Jürgen');
});

test('on a terminal a secret is typed in raw mode and never shown; backspace and Ctrl-U edit it', async () => {
  const { io, stdin, shown, raw } = terminal(true);
  using prompts = linePrompts(io);
  const answer = prompts.hidden('Secret: ');
  stdin.write('wrong\u0015canaryy\u007f\r');
  assert.equal(await answer, 'canary');
  assert.deepEqual(raw, [true, false]);
  assert.deepEqual(shown, ['Secret: ', '\n']);
});

test('Ctrl-C while a secret is typed breaks off, and the terminal is as it was', async () => {
  const { io, stdin, raw } = terminal(true);
  using prompts = linePrompts(io);
  const answer = prompts.hidden('Secret: ');
  stdin.write('abc\u0003');
  await assert.rejects(answer, { code: 'usage', message: /broken off/ });
  assert.deepEqual(raw, [true, false]);
});

test('without a terminal every question of setup names the option that answers it', async () => {
  const { io } = terminal(false);
  const prompts = await promptsFor(io, 'setup');
  const question = { message: 'Issuer', flag: '--issuer' };
  const asked = [
    prompts.text(question),
    prompts.secret(question),
    prompts.confirm(question),
    prompts.pick({ ...question, choices: [] }),
    prompts.pickMany({ ...question, choices: [] }),
  ];
  for (const answer of asked) await assert.rejects(answer, { code: 'usage', message: /^--issuer is missing/ });
});

test('on a terminal a typed secret is masked in all that is shown', async () => {
  const { io, stdin, shown } = terminal(true);
  const prompts = await promptsFor(io, 'setup');
  const answer = prompts.secret({ message: 'Client secret', flag: '--client-secret-file' });
  stdin.write('canary');
  stdin.write('\r');
  assert.equal(await answer, 'canary');
  assert.match(shown.join(''), /Client secret/);
  assert.doesNotMatch(shown.join(''), /canary/);
});

test('what is said after an answer comes below the last frame of the question, however slow the terminal is', async () => {
  const { io, stdin, shown } = terminal(true);
  const slow: Output = {
    ...io.stderr,
    async write(text) {
      await new Promise((resolve) => setImmediate(resolve));
      shown.push(text);
    },
  };
  const prompts = await promptsFor({ ...io, stderr: slow }, 'setup');
  const choices = ['openid', 'offline_access', 'profile'].map((value) => ({ value, label: value }));
  const answer = prompts.pickMany({ message: 'Scopes', flag: '--scope', choices, initial: ['openid'] });
  stdin.write('\r');
  assert.deepEqual(await answer, ['openid']);
  const frames = shown.length;
  await slow.write('accounts:');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(shown.slice(frames), ['accounts:']);
  assert.ok(shown[frames - 1]?.endsWith('\u001b[J'));
});

test('an issuer is found by typing a part of it', async () => {
  const { io, stdin } = terminal(true);
  const prompts = await promptsFor(io, 'setup');
  const choices = ['', 'https://one.test', 'https://two.test'].map((value) => ({
    value,
    label: value || 'another one',
  }));
  const answer = prompts.pick({ message: 'Issuer', flag: '--issuer', choices });
  for (const letter of 'two') stdin.write(letter);
  stdin.write('\r');
  assert.equal(await answer, 'https://two.test');
});
