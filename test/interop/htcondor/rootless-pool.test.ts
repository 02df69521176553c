import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { claimsIn, claimsOf } from './claims.ts';
import { commandInRoot } from './in-root.ts';
import { tokeepIn } from './install-tokeep.ts';
import { Pool } from './pool.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';

const told = surroundings();
const pool = new Pool(told.root);
const user = 'olivia';
const place = `/home/${user}/pool`;
/** What makes a pool of one user's: each command of that user is to find it. */
const env = { CONDOR_CONFIG: `${place}/condor_config` };

const config = `
RELEASE_DIR = /usr
LOCAL_DIR = ${place}
LOCAL_CONFIG_DIR =
BIN = /usr/bin
SBIN = /usr/sbin
LIB = /usr/lib/condor
LIBEXEC = /usr/libexec/condor
RUN = $(LOCAL_DIR)/run
LOG = $(LOCAL_DIR)/log
LOCK = $(LOCAL_DIR)/lock
SPOOL = $(LOCAL_DIR)/spool
EXECUTE = $(LOCAL_DIR)/execute
CONDOR_HOST = 127.0.0.1
COLLECTOR_HOST = 127.0.0.1:29618
SHARED_PORT_PORT = 29618
NETWORK_INTERFACE = 127.0.0.1
BIND_ALL_INTERFACES = False
ENABLE_IPV6 = False
UID_DOMAIN = rootless.local
FILESYSTEM_DOMAIN = rootless.local
DAEMON_LIST = MASTER COLLECTOR NEGOTIATOR SCHEDD STARTD
RunBenchmarks = False
NUM_CPUS = 2
MEMORY = 500
START = True
NEGOTIATOR_INTERVAL = 2
NEGOTIATOR_CYCLE_DELAY = 1
SCHEDD_INTERVAL = 2
BASE_CGROUP =
MOUNT_UNDER_SCRATCH =
DISCARD_SESSION_KEYRING_ON_STARTUP = False
SEC_DEFAULT_AUTHENTICATION_METHODS = FS
SEC_CLIENT_AUTHENTICATION_METHODS = FS
SEC_DEFAULT_ENCRYPTION = REQUIRED
ALLOW_READ = *
ALLOW_WRITE = *
ALLOW_ADMINISTRATOR = *
ALLOW_DAEMON = *
ALLOW_NEGOTIATOR = *
use feature : OAUTH
SEC_CREDENTIAL_DIRECTORY_OAUTH = $(LOCAL_DIR)/oauth_credentials
CREDMON_OAUTH = /usr/sbin/tokeep-credmon
CREDD_ARGS = -f
USER_JOB_WRAPPER = ${tokeepIn}/packaging/htcondor/tokeep-job-wrapper
LOCAL_CREDMON_PROVIDER_NAME = own
LOCAL_CREDMON_PRIVATE_KEY = $(LOCAL_DIR)/private.pem
LOCAL_CREDMON_PUBLIC_KEY = $(LOCAL_DIR)/public.pem
LOCAL_CREDMON_ISSUER = https://rootless.example
LOCAL_CREDMON_TOKEN_AUDIENCE = https://data.example.org
`;

test('a pool without root: the credmon runs as its owner, and a job has its token', async () => {
  await using stack = new AsyncDisposableStack();
  const inRoot = join(told.root, place);
  await mkdir(inRoot, { recursive: true });
  for (const name of ['run', 'log', 'lock', 'spool', 'execute']) await mkdir(join(inRoot, name), { recursive: true });
  await mkdir(join(inRoot, 'oauth_credentials'), { mode: 0o2770 });
  await pool.output(['chown', '-R', `${user}:${user}`, place]);
  await pool.output(['chmod', '2770', `${place}/oauth_credentials`]);
  await pool.write(user, 'pool/condor_config', config);

  const [program = '', ...args] = commandInRoot(told.root, ['/usr/sbin/condor_master', '-f'], { user, env });
  const master = spawn(program, args, { stdio: 'ignore' });
  stack.defer(async () => {
    const ended = once(master, 'exit');
    master.kill('SIGTERM');
    await ended;
  });
  const up = async () => {
    const { stdout } = await pool.run(['condor_status', '-any', '-af', 'MyType'], { user, env });
    return ['CredD', 'Scheduler', 'Machine'].every((type) => stdout.includes(type));
  };
  await until('the pool of one user is up', up, { within: 60 });
  const wish = {
    script: 'cat $_CONDOR_CREDS/own.use; echo; cat "$BEARER_TOKEN_FILE"',
    lines: ['+OAuthServicesNeeded = "own"'],
  };
  const printed = await pool.result(await pool.queued(user, wish, { env }));
  const [ofFile = '', ofVariable = ''] = printed.split('\n').filter(Boolean);
  const claims = claimsIn(ofFile);
  assert.deepEqual([claims['iss'], claims['sub']], ['https://rootless.example', user]);
  assert.match(ofVariable, /^ey/, 'out of the JSON, by the wrapper that we ship');
  assert.deepEqual(claimsOf(ofVariable), claims);
  const [use, home] = await Promise.all([
    stat(join(inRoot, `oauth_credentials/${user}/own.use`)),
    stat(join(told.root, 'home', user)),
  ]);
  assert.deepEqual([use.uid, use.mode & 0o777], [home.uid, 0o400]);
});
