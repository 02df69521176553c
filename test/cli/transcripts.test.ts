import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { matches, parseTranscript } from './transcript.ts';

const here = import.meta.dirname;
const sources = resolve(here, '../../src/cli');

interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home of its own, with nothing of this machine's: `tokeep` and the old names run from the sources. */
function sandbox(files: ReadonlyMap<string, string>): { readonly home: string; run(line: string): Promise<Answer> } {
  const home = mkdtempSync(join(tmpdir(), 'tokeep-cli-'));
  for (const [command, entry] of [
    ['tokeep', 'main.ts'],
    ['osg-token-renewer', 'osg-token-renewer.ts'],
    ['osg-token-renewer-setup', 'osg-token-renewer-setup.ts'],
  ] as const) {
    write(join(home, 'bin', command), `#!/bin/sh\nexec '${process.execPath}' '${join(sources, entry)}' "$@"\n`, 0o755);
  }
  for (const [name, text] of files) write(join(home, 'work', name), text, name.includes('secret') ? 0o600 : 0o644);
  mkdirSync(join(home, 'work'), { recursive: true });
  const env = {
    HOME: home,
    PATH: `${join(home, 'bin')}:/usr/bin:/bin`,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_STATE_HOME: join(home, 'state'),
    XDG_RUNTIME_DIR: join(home, 'runtime'),
    STATE_DIRECTORY: join(home, 'state', 'tokeep'),
    // Else root's sealing key would be that of this machine.
    CONFIGURATION_DIRECTORY: join(home, 'config', 'tokeep'),
    NODE_DISABLE_COMPILE_CACHE: '1',
    TZ: 'UTC',
  };
  return { home, run: (line) => shell(line, join(home, 'work'), env) };
}

function write(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
}

function shell(line: string, cwd: string, env: Record<string, string>): Promise<Answer> {
  const child = spawn('/bin/sh', ['-c', line], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
  const { promise, resolve: done } = Promise.withResolvers<Answer>();
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (part: Buffer) => {
    stdout += part.toString();
  });
  child.stderr.on('data', (part: Buffer) => {
    stderr += part.toString();
  });
  child.on('close', (status) => done({ status, stdout, stderr }));
  return promise;
}

for (const page of readdirSync(here).filter((name) => name.endsWith('.txt'))) {
  const { title, steps, files } = parseTranscript(readFileSync(join(here, page), 'utf8'));
  test(`${page}: ${title}`, async () => {
    const { home, run } = sandbox(files);
    try {
      for (const step of steps) {
        const answer = await run(step.command);
        const shown = JSON.stringify({ ...answer, expected: step }, null, 2).replaceAll('\\n', '\n');
        assert.equal(answer.status, step.status, `${page}:${step.line}: another exit code\n${shown}`);
        const said = (text: string) => text.replaceAll(home, '~');
        assert.ok(matches(step.stdout, said(answer.stdout)), `${page}:${step.line}: another stdout\n${shown}`);
        assert.ok(matches(step.stderr, said(answer.stderr)), `${page}:${step.line}: another stderr\n${shown}`);
        assert.doesNotMatch(answer.stderr, /^\s+at .*:\d+/m, `${page}:${step.line}: a stack trace`);
      }
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
}
