import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { staticHost } from '../peers/static-host.ts';
import { throwAwayCa } from '../peers/throw-away-ca.ts';
import { root, textOf } from './pages.ts';

const page = textOf('docs/run-an-issuer.md').split('\n## A server\n')[0] ?? '';
const run = promisify(execFile);

interface Step {
  readonly command: string;
  readonly said: readonly string[];
}

interface Shown {
  readonly file: string;
  readonly text: string;
}

/** What the page shows, from top to bottom: files to be written, and commands with what they say. */
function story(): readonly (Step | Shown)[] {
  return [...page.matchAll(/^```(yaml|console)\n([\s\S]*?)^```/gm)].flatMap(
    ([, kind, block = '']): readonly (Step | Shown)[] => {
      const file = /^# (\/\S+)\n/.exec(block)?.[1];
      if (kind === 'yaml') return file === undefined ? [] : [{ file, text: block }];
      return block
        .split(/^\$ /m)
        .slice(1)
        .map((part): Step => {
          const [, command = '', said = ''] = /^((?:.*\\\n)*.*\n)([\s\S]*)$/.exec(part) ?? [];
          return { command: command.replaceAll('\\\n', ' '), said: said.split('\n').filter(Boolean) };
        });
    },
  );
}

/** What differs from run to run: keys, ids, times, and the order of what happens at the same moment. */
function shape(lines: readonly string[]): readonly string[] {
  return lines
    .map((line) =>
      line
        .replaceAll(/(?<![\w/-])[\w-]{43}(?![\w-])/g, 'KID')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
        .replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'JTI')
        .replaceAll(/\b\d+ (d|h|min|days)\b/g, 'N $1'),
    )
    .toSorted();
}

test('what docs/run-an-issuer.md tells a newcomer to type gives what it shows', async (t) => {
  const { shell, write, here } = await machine(t);
  for (const step of story()) {
    if ('file' in step) {
      await write(step.file, step.text);
      continue;
    }
    const said = await shell(step.command);
    assert.deepEqual(shape(said), shape(step.said), step.command);
  }
  const [, example = ''] = /^```js\n([\s\S]*?)^```/m.exec(page) ?? [];
  const library = pathToFileURL(resolve(root, 'src/issue/index.ts')).href;
  const program = example
    .replace("'tokeep/issue'", `'${library}'`)
    .replace('process.argv[2]', `'${here}/state/issuers/default', sealKeyFile: '${here}/etc/seal.key'`);
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  assert.match(stdout, /^\d{3,} 20\d\d-/);
});

/** The places and the web server of the page, in a directory of their own. */
async function machine(t: TestContext) {
  const here = await mkdtemp(join(tmpdir(), 'tokeep-guide-'));
  const ca = await throwAwayCa();
  for (const name of ['bin', 'etc', 'www', 'state', 'state/ce']) await mkdir(join(here, name), { mode: 0o700 });
  const host = await staticHost(join(here, 'www'), await ca.certificate());
  t.after(async () => {
    await host[Symbol.asyncDispose]();
    await ca.remove();
    await rm(here, { recursive: true, force: true });
  });
  const tokeep = join(here, 'bin/tokeep');
  await writeFile(tokeep, `#!/bin/sh\nexec '${process.execPath}' '${resolve(root, 'src/cli/main.ts')}' "$@"\n`);
  await chmod(tokeep, 0o755);
  const places = [
    ['https://tokens.example.org', host.origin],
    ['/var/www/tokens', `${here}/www`],
    ['/var/lib/tokeep', `${here}/state`],
    ['/etc/tokeep', `${here}/etc`],
  ] as const;
  const toHere = (text: string) => places.reduce((all, [there, ours]) => all.replaceAll(there, ours), text);
  const toPage = (text: string) =>
    places
      .reduce((all, [there, ours]) => all.replaceAll(ours, there), text)
      .replaceAll(new URL(host.origin).host, 'tokens.example.org');
  const env = {
    PATH: `${join(here, 'bin')}:/usr/bin:/bin`,
    HOME: here,
    LOGNAME: 'root',
    STATE_DIRECTORY: `${here}/state`,
    CONFIGURATION_DIRECTORY: `${here}/etc`,
    TOKEEP_CONFIG: '',
  };
  async function shell(command: string): Promise<readonly string[]> {
    const trusting = /^tokeep (issuer check|verify)/.test(command)
      ? `${command.trimEnd()} --ca-file ${ca.caFile}`
      : command;
    const config = / renew/.test(command) ? { TOKEEP_CONFIG: `${here}/etc/config.yaml` } : {};
    // Asks no network, and writes the name of the issuer in more than one way.
    const line = / issuer trust /.test(command) ? command : toHere(trusting);
    const { stdout } = await run('/bin/sh', ['-ec', `{ ${line.trimEnd()}; } 2>&1`], {
      env: { ...env, ...config },
    });
    return toPage(stdout).split('\n').filter(Boolean);
  }
  const write = (path: string, text: string) => writeFile(join(here, 'etc', basename(path)), toHere(text));
  return { here, shell, write };
}
