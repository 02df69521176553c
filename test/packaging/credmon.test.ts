import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { knobTable } from '../../src/condor/knob-table.ts';

const packaging = fileURLToPath(new URL('../../packaging/', import.meta.url));
const bin = fileURLToPath(new URL('../../bin/', import.meta.url));
const units = ['tokeep-credmon.service', 'tokeep-credmon-web.service'] as const;
/** By `systemd-analyze security`: 0 can do nothing, 10 everything. The credmon has to be root. */
const mostExposure = { 'tokeep-credmon.service': 2.6, 'tokeep-credmon-web.service': 1.5 };

function run(file: string, args: readonly string[]): Promise<{ readonly status: number; readonly output: string }> {
  const { promise, resolve } = Promise.withResolvers<{ readonly status: number; readonly output: string }>();
  const env = { ...process.env, SYSTEMD_COLORS: '0' };
  execFile(file, [...args], { env }, (error, stdout, stderr) =>
    resolve({ status: error === null ? 0 : Number(error.code ?? -1), output: `${stdout}${stderr}` }),
  );
  return promise;
}

async function hasSystemd(t: TestContext): Promise<boolean> {
  const { status } = await run('systemd-analyze', ['--version']);
  if (status !== 0) t.diagnostic('systemd-analyze is not on this machine; the units were not verified here');
  return status === 0;
}

/** The unit as installed, but starting this checkout, so that what it starts is there. */
async function installed(unit: string): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'tokeep-credmon-unit-'));
  const path = join(folder, unit);
  await cp(join(packaging, 'systemd', unit), path);
  const text = await readFile(path, 'utf8');
  // The user is made by HTCondor's package.
  const here = text.replaceAll(/^ExecStart=\/usr\/s?bin\//gm, `ExecStart=${bin}`).replaceAll('=condor\n', '=daemon\n');
  await writeFile(path, here);
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test('systemd finds nothing in the units of the credmon, and little that they could do without', async (t) => {
  if (!(await hasSystemd(t))) return;
  for (const unit of units) {
    await using place = await installed(unit);
    assert.deepEqual(await run('systemd-analyze', ['verify', '--man=no', place.path]), { status: 0, output: '' }, unit);
    const { output } = await run('systemd-analyze', ['security', '--offline=yes', '--no-pager', place.path]);
    const figure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(output)?.[1]);
    t.diagnostic(`${unit}: ${figure}`);
    assert.ok(figure <= mostExposure[unit], `${unit}: ${figure}`);
  }
});

test('the units and the configuration for HTCondor start programs that are there', async () => {
  const files = [...units.map((unit) => `systemd/${unit}`), 'htcondor/50-tokeep-credmon.conf'];
  for (const file of files) {
    const text = await readFile(join(packaging, file), 'utf8');
    const [, program] = /^(?:ExecStart|CREDMON_OAUTH) ?= ?(\/usr\/s?bin\/\S+)/m.exec(text) ?? [];
    assert.ok(program !== undefined, file);
    await readFile(join(bin, basename(program)));
  }
});

test('the configuration for HTCondor names no knob that nobody reads, also where it is only shown', async () => {
  const text = await readFile(join(packaging, 'htcondor/50-tokeep-credmon.conf'), 'utf8');
  const known = new Set(knobTable.flatMap(({ knobs }) => knobs.map(({ name }) => name.replace(/\[_<\w+>\]/, ''))));
  const named = [...text.matchAll(/^#?([A-Za-z]\w+) *=/gm)].map(([, name]) => name as string);
  assert.ok(named.length > 10);
  const others = /^(SEC_DEFAULT_ENCRYPTION|JOB_TRANSFORM_NAMES)$/;
  const asListed = named.map((name) => name.replace(/^mytok_/, '<SVC>_'));
  const unknown = asListed.filter((name) => !known.has(name) && !others.test(name));
  assert.deepEqual(unknown, []);
});
