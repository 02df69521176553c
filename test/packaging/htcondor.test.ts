import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const shipped = fileURLToPath(new URL('../../packaging/htcondor/', import.meta.url));
const wrapper = join(shipped, 'tokeep-job-wrapper');
const shells = ['/bin/sh', '/bin/dash', '/bin/bash', '/bin/busybox'].filter((path) => existsSync(path));

/** The scratch directory of a job, with its credentials and its ad. */
function sandbox(t: TestContext, uses: Readonly<Record<string, string>>, needed?: string) {
  const scratch = mkdtempSync(join(tmpdir(), 'job-'));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  const creds = join(scratch, '.condor_creds');
  mkdirSync(creds, { mode: 0o755 });
  /** As the starter does it. */
  const put = (name: string, content: string) => {
    writeFileSync(join(creds, '.new'), content, { mode: 0o600 });
    renameSync(join(creds, '.new'), join(creds, `${name}.use`));
  };
  for (const [name, content] of Object.entries(uses)) put(name, content);
  const ad = join(scratch, '.job.ad');
  writeFileSync(ad, `Owner = "alice"\n${needed === undefined ? '' : `OAuthServicesNeeded = "${needed}"\n`}`);
  const env = {
    PATH: '/usr/bin:/bin',
    _CONDOR_SCRATCH_DIR: scratch,
    _CONDOR_CREDS: creds,
    _CONDOR_JOB_AD: ad,
    _CONDOR_WRAPPER_ERROR_FILE: join(scratch, '.job_wrapper_failure'),
    TOKEEP_FOLLOW_SECONDS: '0.05',
  };
  return { scratch, creds, env, put };
}

function start(shell: string, env: Readonly<Record<string, string>>, ...job: readonly string[]): ChildProcess {
  const [file, ...more] = shell.endsWith('busybox') ? [shell, 'sh'] : [shell];
  return spawn(file ?? '', [...more, wrapper, ...job], { env, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** What the job, a script for sh, printed; its exit status must be 0. */
async function printed(shell: string, env: Readonly<Record<string, string>>, script: string): Promise<string> {
  const child = start(shell, env, '/bin/sh', '-c', script);
  const { promise, resolve } = Promise.withResolvers<string>();
  let output = '';
  child.stdout?.on('data', (part) => {
    output += part;
  });
  child.stderr?.on('data', (part) => {
    output += part;
  });
  child.on('close', (status) => {
    assert.equal(status, 0, output);
    resolve(output.trimEnd());
  });
  return await promise;
}

const show = 'echo "$BEARER_TOKEN_FILE"; cat "$BEARER_TOKEN_FILE"';

for (const shell of shells) {
  test(`${shell}: a bare token is pointed at as it lies there`, async (t) => {
    const { env, creds } = sandbox(t, { mytok: 'bare.token.x\n' });
    assert.equal(await printed(shell, env, show), `${join(creds, 'mytok.use')}\nbare.token.x`);
  });

  test(`${shell}: a token in JSON is taken out of it, into a file of the job alone`, async (t) => {
    const json = '{\n  "expires_in": 1200,\n  "access_token" : "a.b-c_d\\/e+f==" , "token_type": "bearer"}\n';
    const { env, scratch } = sandbox(t, { mytok: json });
    const file = join(scratch, '.tokeep/mytok.token');
    assert.equal(await printed(shell, env, show), `${file}\na.b-c_d/e+f==`);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(scratch, '.tokeep')).mode & 0o777, 0o700);
  });

  test(`${shell}: renewals of a token in JSON reach the running job, which is still the process that was started`, async (t) => {
    const { env, put } = sandbox(t, { mytok: '{"access_token":"first"}' });
    const child = start(
      shell,
      env,
      '/bin/sh',
      '-c',
      `echo $$; ${show}; until grep -q second "$BEARER_TOKEN_FILE"; do sleep 0.02; done; echo seen`,
    );
    const { promise, resolve } = Promise.withResolvers<number | null>();
    let output = '';
    child.stdout?.on('data', (part) => {
      output += part;
      if (/first/.test(output)) put('mytok', '{"access_token":"second"}');
    });
    child.on('close', resolve);
    assert.equal(await promise, 0);
    assert.match(output, new RegExp(`^${child.pid}\\n.*\\nfirst\\n?seen`));
  });

  test(`${shell}: the job's own list says which token is first, and the job may name another one`, async (t) => {
    const { env } = sandbox(t, { mytok_rd: 'rd', mytok_wr: 'wr', other: 'o' }, 'mytok*wr,mytok*rd, other');
    assert.match(await printed(shell, env, show), /\nwr$/);
    assert.match(await printed(shell, { ...env, TOKEEP_TOKEN: 'mytok*rd' }, show), /\nrd$/);
    assert.match(await printed(shell, { ...env, TOKEEP_TOKEN: 'other' }, show), /\no$/);
  });

  test(`${shell}: a job without tokens, with one of its own, or with a choice nobody made runs as it is`, async (t) => {
    const { env, scratch } = sandbox(t, { a: 'x', b: 'y' });
    const tell = 'echo "<$BEARER_TOKEN_FILE><$BEARER_TOKEN>"';
    assert.equal(await printed(shell, env, tell), '<><>');
    assert.equal(await printed(shell, { ...env, TOKEEP_TOKEN: '../../etc/passwd' }, tell), '<><>');
    assert.equal(await printed(shell, { ...env, TOKEEP_TOKEN: 'a', BEARER_TOKEN_FILE: '/mine' }, tell), '</mine><>');
    assert.equal(await printed(shell, { ...env, TOKEEP_TOKEN: 'a', BEARER_TOKEN: 'mine' }, tell), '<><mine>');
    assert.equal(await printed(shell, { PATH: '/usr/bin:/bin' }, tell), '<><>');
    writeFileSync(join(scratch, '.condor_creds/a.use'), '{"error":"none"}');
    assert.equal(await printed(shell, { ...env, TOKEEP_TOKEN: 'a' }, tell), '<><>');
    writeFileSync(join(scratch, '.condor_creds/a.use'), '');
    assert.equal(await printed(shell, { ...env, TOKEEP_TOKEN: 'a', _CONDOR_SCRATCH_DIR: '' }, 'echo ran'), 'ran');
  });

  test(`${shell}: a job keeps a PATH of its own, in which what is needed here is not`, async (t) => {
    const { env, scratch } = sandbox(t, { a: '{"access_token":"y"}' });
    const tell = 'echo "$BEARER_TOKEN_FILE <$PATH>"';
    for (const path of ['/nonexistent', '']) {
      const expected = `${join(scratch, '.tokeep/a.token')} <${path}>`;
      assert.equal(await printed(shell, { ...env, PATH: path }, tell), expected);
    }
  });

  test(`${shell}: arguments come through as they are, and a job that cannot be run is told to HTCondor`, async (t) => {
    const { env } = sandbox(t, { a: 'x' });
    const child = start(shell, env, '/usr/bin/printf', '<%s>', 'a b', '', '*', '$(id)');
    let output = '';
    child.stdout?.on('data', (part) => {
      output += part;
    });
    const { promise, resolve } = Promise.withResolvers<number | null>();
    child.on('close', resolve);
    assert.equal(await promise, 0);
    assert.equal(output, '<a b><><*><$(id)>');
    const missing = start(shell, env, '/nonexistent/job');
    const ended = Promise.withResolvers<number | null>();
    missing.on('close', ended.resolve);
    assert.notEqual(await ended.promise, 0);
    assert.match(readFileSync(env._CONDOR_WRAPPER_ERROR_FILE, 'utf8'), /\/nonexistent\/job cannot be run/);
  });

  test(`${shell}: in a container the file has the name it has there`, async (t) => {
    const { env } = sandbox(t, { a: 'x', b: '{"access_token":"y"}' });
    const inside = { ...env, SINGULARITYENV__CONDOR_SCRATCH_DIR: '/srv', APPTAINERENV__CONDOR_SCRATCH_DIR: '/job' };
    const tell = 'echo "$SINGULARITYENV_BEARER_TOKEN_FILE $APPTAINERENV_BEARER_TOKEN_FILE"';
    const of = (name: string) => printed(shell, { ...inside, TOKEEP_TOKEN: name }, tell);
    assert.equal(await of('a'), '/srv/.condor_creds/a.use /job/.condor_creds/a.use');
    assert.equal(await of('b'), '/srv/.tokeep/b.token /job/.tokeep/b.token');
  });
}

test('what follows renewals ends with the job, and is no child that the job could wait for', async (t) => {
  const { env, put, scratch } = sandbox(t, { a: '{"access_token":"first"}' });
  const child = start('/bin/sh', env, '/bin/sh', '-c', 'cat /proc/$$/task/$$/children; echo; cat');
  let output = '';
  const line = Promise.withResolvers<void>();
  child.stdout?.on('data', (part) => {
    output += part;
    line.resolve();
  });
  await line.promise;
  const closed = Promise.withResolvers<void>();
  child.on('close', () => closed.resolve());
  child.stdin?.end();
  await closed.promise;
  // `cat` itself.
  assert.equal(output.trim().split(/\s+/).length, 1, output);
  const mark = `${scratch}/.tokeep/a.token`;
  const followers = async () =>
    await printed(
      '/bin/sh',
      { PATH: '/usr/bin:/bin' },
      `grep -lz "^_CONDOR_SCRATCH_DIR=${scratch}$" /proc/[0-9]*/environ 2>/dev/null | wc -l`,
    );
  while ((await followers()) !== '0');
  put('a', '{"access_token":"second"}');
  assert.equal(readFileSync(mark, 'utf8').trim(), 'first');
});

test('the transform of the access point names only its own knobs', () => {
  const lines = readFileSync(join(shipped, '60-bearer-token-file.conf'), 'utf8').split('\n');
  const knobs = lines.map((line) => /^([A-Za-z_]+) (?:=|@=)/.exec(line)?.[1]).filter((knob) => knob !== undefined);
  assert.deepEqual(knobs, ['JOB_TRANSFORM_NAMES', 'JOB_TRANSFORM_BearerTokenFile']);
  const [requirements = ''] = lines.filter((line) => /^\s+REQUIREMENTS JobUniverse == 5 /.test(line));
  // For a list of separators alone the expression of EVALSET would make Environment an error.
  assert.ok(requirements.includes(' size(split(OAuthServicesNeeded, ", ")) > 0 '));
});
