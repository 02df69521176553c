import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSealer } from '../../src/store/seal-key.ts';
import { realWorld } from '../../src/world/real-world.ts';

const shipped = fileURLToPath(new URL('../../packaging/systemd/', import.meta.url));
const bin = fileURLToPath(new URL('../../bin/', import.meta.url));

interface Ran {
  readonly status: number | string;
  readonly output: string;
}
async function run(file: string, args: readonly string[], more: Record<string, string> = {}): Promise<Ran> {
  const { promise, resolve } = Promise.withResolvers<Ran>();
  execFile(file, [...args], { env: { ...process.env, SYSTEMD_COLORS: '0', ...more } }, (error, stdout, stderr) =>
    resolve({ status: error === null ? 0 : (error.code ?? 'killed'), output: `${stdout}${stderr}` }),
  );
  return await promise;
}

/** The unit OSG's package installs (osg-token-renewer 1.0). */
const osgUnit = `[Unit]
Description=OSG token renewal service
[Service]
User=osg-token-svc
Group=osg-token-svc
Type=oneshot
ExecStart=/usr/libexec/osg-token-renewer/osg-token-renewer.sh
[Install]
WantedBy=multi-user.target
`;

/** The units as installed, but starting this checkout, so that what they start is there. */
async function installed() {
  const folder = await mkdtemp(join(tmpdir(), 'tokeep-units-'));
  await cp(shipped, folder, { recursive: true });
  await writeFile(join(folder, 'osg-token-renewer.service'), osgUnit);
  for (const entry of await readdir(folder, { recursive: true })) {
    if (!/\.(service|conf)$/.test(entry)) continue;
    const path = join(folder, entry);
    await writeFile(path, (await readFile(path, 'utf8')).replaceAll('ExecStart=/usr/bin/', `ExecStart=${bin}`));
  }
  return {
    folder,
    unit: (name: string) => join(folder, name),
    async dropIn(unit: string, example: string) {
      await mkdir(join(folder, `${unit}.d`), { recursive: true });
      await cp(join(folder, 'examples', example), join(folder, `${unit}.d`, example));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

const units = [
  'tokeep.service',
  'tokeep-renew.service',
  'tokeep-key.service',
  'tokeep-issuer.service',
  'osg-token-renewer.service',
];

async function hasSystemd(t: TestContext): Promise<boolean> {
  const { status } = await run('systemd-analyze', ['--version']);
  if (status !== 0) t.diagnostic('systemd-analyze is not on this machine; the units were not verified here');
  return status === 0;
}

test('what the units start is a command line that tokeep understands', async () => {
  const files = ['tokeep.service', 'tokeep-renew.service', 'tokeep-issuer.service', 'examples/issuer-tls.conf'];
  for (const file of files) {
    const text = await readFile(join(shipped, file), 'utf8');
    const [, line] = /^ExecStart=\/usr\/bin\/tokeep (.*)$/m.exec(text) ?? [];
    assert.ok(line !== undefined, file);
    // There is nothing here to run on, which is told only of a command line that makes sense.
    const nothing = { TOKEEP_CONFIG: '/nonexistent/config.yaml' };
    const { status, output } = await run(join(bin, 'tokeep'), line.split(' '), nothing);
    assert.equal(status, 3, `${file}: ${output}`);
  }
});

async function exposure(unit: string): Promise<number> {
  const { output } = await run('systemd-analyze', ['security', '--offline=yes', '--no-pager', unit]);
  const figure = /Overall exposure level for \S+: ([\d.]+)/.exec(output)?.[1];
  assert.ok(figure !== undefined, output);
  return Number(figure);
}

test('systemd-analyze verify finds nothing in the units, nor in any drop-in on top of them', async (t) => {
  if (!(await hasSystemd(t))) return;
  await using place = await installed();
  const verify = (...names: string[]) => run('systemd-analyze', ['verify', '--man=no', ...names.map(place.unit)]);
  assert.deepEqual(await verify(...units, 'tokeep-renew.timer'), { status: 0, output: '' });
  for (const example of await readdir(join(place.folder, 'examples'))) {
    await place.dropIn(example.startsWith('issuer-') ? 'tokeep-issuer.service' : 'tokeep.service', example);
  }
  assert.deepEqual(await verify('tokeep.service', 'tokeep-issuer.service'), { status: 0, output: '' });
});

test('systemd-analyze security gives every unit at most 2.5, with each drop-in as well', async (t) => {
  if (!(await hasSystemd(t))) return;
  await using place = await installed();
  const figures: Record<string, number> = {};
  for (const unit of units) figures[unit] = await exposure(place.unit(unit));
  for (const example of ['owners.conf', 'discovery.conf']) {
    await place.dropIn('tokeep.service', example);
    figures[`tokeep.service with ${example}`] = await exposure(place.unit('tokeep.service'));
    await rm(join(place.folder, 'tokeep.service.d'), { recursive: true });
  }
  await place.dropIn('tokeep-issuer.service', 'issuer-tls.conf');
  figures['tokeep-issuer.service with issuer-tls.conf'] = await exposure(place.unit('tokeep-issuer.service'));
  t.diagnostic(JSON.stringify(figures));
  for (const [unit, figure] of Object.entries(figures)) assert.ok(figure <= 2.5, `${unit}: ${figure}`);
});

test('the key unit makes a key that tokeep takes, once, and for its user alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokeep-key-'));
  try {
    const unit = await readFile(join(shipped, 'tokeep-key.service'), 'utf8');
    const quoted = /^ExecStart=\/bin\/sh -euc '(.*)'$/m.exec(unit)?.[1];
    assert.ok(quoted !== undefined);
    // What systemd makes of the line (systemd.service(5), "Command lines"), in a folder of ours and without a user tokeep.
    const script = quoted
      .replaceAll('$$', '$')
      .replaceAll('%%', '%')
      .replaceAll('\\\\', '\\')
      .replaceAll('/etc/tokeep', folder)
      .replace('chown tokeep: "$new";', '');
    const make = () => run('/bin/sh', ['-euc', `umask 077; ${script}`]);
    assert.deepEqual(await make(), { status: 0, output: '' });
    const keyFile = join(folder, 'seal.key');
    assert.equal((await stat(keyFile)).mode & 0o777, 0o400);
    const { keyId } = await openSealer(realWorld(), { keyFile });
    await make();
    assert.equal((await openSealer(realWorld(), { keyFile })).keyId, keyId);
    assert.deepEqual(await readdir(folder), ['seal.key']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('OSG’s unit keeps its user and only changes what it starts', async () => {
  const dropIn = await readFile(join(shipped, 'osg-token-renewer.service.d/tokeep.conf'), 'utf8');
  assert.match(dropIn, /^ExecStart=\nExecStart=\/usr\/bin\/osg-token-renewer$/m);
  assert.doesNotMatch(dropIn, /^(User|Group|Type)=/m);
});

test('no unit lets a core dump or a readable umask out, and all are as strict but for the groups of OSG’s files', async () => {
  const sections = await Promise.all(
    ['tokeep.service', 'tokeep-renew.service', 'osg-token-renewer.service.d/tokeep.conf'].map(async (name) => {
      const text = await readFile(join(shipped, name), 'utf8');
      const strict = text.slice(text.indexOf('# What it may touch.')).split('\n\n[Install]', 1)[0] ?? '';
      return strict
        .split('\n')
        .filter((line) => /^\w/.test(line) && !line.startsWith('PrivateUsers='))
        .join('\n');
    }),
  );
  assert.ok(sections[0]?.includes('LimitCORE=0') && sections[0].includes('UMask=0077'));
  assert.equal(new Set(sections).size, 1);
});
