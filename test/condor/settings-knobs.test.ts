import assert from 'node:assert/strict';
import { chmod, copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { after, before, test } from 'node:test';
import { knobsOfDump } from '../../src/condor/knob-dump.ts';
import { knobsPage } from '../../src/condor/knob-page.ts';
import { type KnobEntry, knobTable } from '../../src/condor/knob-table.ts';
import { type Knobs, knobsFrom, readKnobs } from '../../src/condor/knobs.ts';
import { poolOf } from '../../src/condor/pool.ts';
import { settingsOf } from '../../src/condor/read-settings.ts';
import type { Fault } from '../../src/fault/fault.ts';
import { realWorld } from '../../src/world/real-world.ts';

const dumps = new URL('dumps/', import.meta.url).pathname;
const world = realWorld();
/** Below the home directory: what others could write to is refused. */
let bin: string;
before(async () => {
  bin = await mkdtemp(`${homedir()}/.tokeep-condor-`);
  for (const name of ['ap.txt', 'ap.files.txt']) await copyFile(`${dumps}${name}`, `${bin}/${name}`);
});
after(() => rm(bin, { recursive: true }));

async function configVal(body: string): Promise<void> {
  await writeFile(`${bin}/condor_config_val`, `#!/bin/sh\n${body}\n`);
  await chmod(`${bin}/condor_config_val`, 0o755);
}
const printed = (more = '') =>
  `case "$*" in
     -config) cat "$(dirname "$0")/ap.files.txt" ;;
     "-subsystem CREDMON_OAUTH -dump -expanded -verbose") cat "$(dirname "$0")/ap.txt" ${more} ;;
     *) exit 9 ;;
   esac`;
const refused = async (sentence: RegExp) =>
  assert.rejects(readKnobs(world, bin), (fault: Fault) => {
    assert.equal(fault.code, 'condor-unreadable');
    assert.match(fault.message, sentence);
    assert.ok(fault.hint);
    return true;
  });

test('knobs are read with condor_config_val, with the files and directories they came from', async () => {
  await configVal(printed());
  const knobs = await readKnobs(world, bin);
  assert.equal(knobs.get('credmon_OAUTH'), '/usr/sbin/tokeep-credmon');
  assert.deepEqual(knobs.files, ['/etc/condor/condor_config']);
});

test('the configuration of a pool without root is the one that the environment names', async () => {
  await configVal(printed('; echo "FROM = $CONDOR_CONFIG $_CONDOR_X $SECRET"; echo " # at: here"'));
  const env = { ...world.env, CONDOR_CONFIG: '/home/alice/c', _CONDOR_X: 'x', SECRET: 'canary' };
  const knobs = await readKnobs({ ...world, env }, bin);
  assert.equal(knobs.get('FROM'), '/home/alice/c x');
});

test('a directory of configuration files is told, so that a new file in it is noticed', async () => {
  await configVal(printed('; echo "LOCAL_CONFIG_DIR = /etc/condor/config.d, /x/y"; echo " # at: here"'));
  assert.deepEqual((await readKnobs(world, bin)).files.slice(1), ['/etc/condor/config.d', '/x/y']);
});

test('what goes wrong with condor_config_val is a sentence', async () => {
  await rm(`${bin}/condor_config_val`, { force: true });
  await refused(/^HTCondor's configuration could not be read: the command .*condor_config_val does not exist$/);
  await configVal('echo secret-canary >&2; exit 1');
  await refused(/^HTCondor's configuration could not be read: running .*condor_config_val ended with status 1$/);
  await configVal('true');
  await refused(/condor_config_val named no knob at all$/);
  await configVal(printed());
  await chmod(`${bin}/condor_config_val`, 0o777);
  await refused(/can be written by others/);
});

test('whose pool it is, is told by the owner of its credential directory', async () => {
  const knobs = knobsFrom([['SEC_CREDENTIAL_DIRECTORY_OAUTH', bin]]);
  const { owner } = (await world.files.facts(bin)) ?? assert.fail();
  const nobody = { ...world, user: { uid: 65_534, gid: 65_534 } };
  const { isRoot, user } = await poolOf(nobody, knobs, 'ap');
  assert.deepEqual({ isRoot, user }, { isRoot: owner === 0, user: userInfo().username });
  const none = await poolOf(nobody, knobsFrom([]), 'ap');
  assert.deepEqual(none, { hostname: 'ap', isRoot: false, user: 'nobody' });
});

const entries = knobTable.flatMap(({ knobs }) => knobs);
const providers = '(mytok|box|chemistry|scitokens|robot|second)';
const pattern = ({ name }: KnobEntry): RegExp =>
  new RegExp(`^${name.replace('<SVC>', providers).replace('[_<PROVIDER>]', `(_${providers})?`)}$`, 'i');

/** Asked for by the log itself, which is opened before anything else. */
const ofTheLog = ['MAX_CREDMON_OAUTH_LOG'];

/** Every knob that is asked for, with the settings of a pool and each kind of login of the web page. */
async function askedFor(): Promise<ReadonlySet<string>> {
  const asked = new Set<string>(ofTheLog);
  const values = [...knobsOfDump(await readFile(`${dumps}ap.txt`, 'utf8'))];
  const oidc = [
    ['TOKEEP_WEB_LOGIN', 'oidc'],
    ['TOKEEP_WEB_LOGIN_ISSUER', 'https://sso.example.org'],
    ['TOKEEP_WEB_LOGIN_CLIENT_ID', 'web'],
  ] as const;
  const older = values.filter(([name]) => !/local_credmon_provider_names|_oauth$|oauth_log$/.test(name));
  for (const set of [values, [...values, ...oidc], older, []]) {
    const knobs = knobsFrom(set);
    const recording: Knobs = {
      ...knobs,
      get: (name) => {
        asked.add(name);
        return knobs.get(name);
      },
    };
    settingsOf(recording, { hostname: 'ap', isRoot: true, user: 'root' });
  }
  return asked;
}

test('the table of knobs has every knob that is asked for, and says of no other that it is honoured', async () => {
  const asked = [...(await askedFor())];
  const counted = entries.filter(({ state }) => state === 'honoured' || state === 'new');
  const missing = asked.filter((name) => !counted.some((entry) => pattern(entry).test(name)));
  assert.deepEqual(missing, []);
  const idle = counted.filter((entry) => !asked.some((name) => pattern(entry).test(name)));
  assert.deepEqual(idle, []);
  assert.equal(new Set(entries.map(({ name }) => name)).size, entries.length);
});

test('the page of knobs has a row for each, and no row that breaks the table', () => {
  const rows = knobsPage()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  assert.equal(rows.length, entries.length);
  for (const row of rows) assert.equal(row.split('|').length, 6, row);
});
