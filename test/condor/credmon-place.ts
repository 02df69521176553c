import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writeCondorConfig } from '../peers/condor-config.ts';
import { person, type RunningIssuer, startIssuer } from '../peers/start-issuer.ts';

const program = fileURLToPath(new URL('../../bin/tokeep', import.meta.url));

/** An access point with an issuer, and our credmon as condor_master starts it. */
export interface CredmonPlace {
  readonly directory: string;
  readonly issuer: RunningIssuer;
  readonly knobs: Readonly<Record<string, string>>;
  /** All that the credmon wrote for people. */
  log(): string;
  /** Other values of knobs, which the credmon finds at its next SIGHUP; undefined: not set any more. */
  reconfigure(changes: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** Resolves when it has looked at everything. */
  start(): Promise<ChildProcess>;
}

const longestStart = 20_000;

export async function credmonPlace(t: TestContext, logins: number): Promise<CredmonPlace> {
  const issuer = await startIssuer({ loggedIn: { clientId: person.client_id, count: logins } });
  t.after(() => issuer.stop());
  const path = mkdtempSync(`${tmpdir()}/credmon-`);
  // What others could write to is not run, so that it cannot lie in /tmp.
  const bin = mkdtempSync(`${homedir()}/.tokeep-test-`);
  t.after(() => {
    for (const each of [path, bin]) rmSync(each, { recursive: true, force: true });
  });
  chmodSync(path, 0o755);
  const directory = `${path}/credentials`;
  mkdirSync(directory);
  chmodSync(directory, 0o2770);
  writeFileSync(`${path}/secret`, `${person.client_secret}\n`, { mode: 0o600 });
  writeFileSync(`${path}/tokeep.yaml`, '{}\n', { mode: 0o600 });
  const log = `${path}/CredMonOAuthLog`;
  const knobs = {
    SEC_CREDENTIAL_DIRECTORY_OAUTH: directory,
    LOCAL_DIR: path,
    FULL_HOSTNAME: 'ap.example.org',
    CREDMON_OAUTH_LOG: log,
    TOKEEP_CREDMON_STATE: `${path}/state`,
    TOKEEP_CREDMON_CONFIG: `${path}/tokeep.yaml`,
    LOCAL_CREDMON_PROVIDER_NAME: 'scitokens',
    LOCAL_CREDMON_ISSUER: 'https://ap.example.org',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://any.example',
    LOCAL_CREDMON_PRIVATE_KEY: `${path}/scitokens-private.pem`,
    LOCAL_CREDMON_PUBLIC_KEY: `${path}/scitokens.pem`,
    mytok_CLIENT_ID: person.client_id,
    mytok_CLIENT_SECRET_FILE: `${path}/secret`,
    mytok_AUTHORIZATION_URL: `${issuer.issuer}/auth`,
    mytok_TOKEN_URL: `${issuer.issuer}/token`,
    mytok_RETURN_URL_SUFFIX: '/return/mytok',
  };
  await writeCondorConfig(bin, knobs);
  const env = { ...process.env, CONFIGURATION_DIRECTORY: path };
  return {
    directory,
    issuer,
    knobs,
    reconfigure: (changes) => {
      const set = Object.entries({ ...knobs, ...changes }).filter(
        (knob): knob is [string, string] => knob[1] !== undefined,
      );
      return writeCondorConfig(bin, Object.fromEntries(set));
    },
    log: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    async start() {
      const args = ['credmon', '--condor-bin', bin];
      const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.on('data', (words) => {
        said += words;
      });
      t.after(() => stop(child));
      const end = performance.now() + longestStart;
      while (!hasBegun(directory, child)) {
        const failed = child.exitCode !== null || performance.now() > end;
        assert.ok(!failed, `the credmon does not run (${child.exitCode}): ${said}`);
        await wait(10);
      }
      return child;
    },
  };
}

/** CREDMON_COMPLETE of the one before goes before the pid of this one comes. */
function hasBegun(directory: string, { pid }: ChildProcess): boolean {
  const isOurs = existsSync(`${directory}/pid`) && readFileSync(`${directory}/pid`, 'utf8') === `${pid}`;
  return isOurs && existsSync(`${directory}/CREDMON_COMPLETE`);
}

/** How it ended: the status, or the signal. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
  return child.exitCode ?? child.signalCode ?? 'SIGKILL';
}
