import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type IssuerHere, startIssuer, type TokenWish } from '../issuer-here.ts';
import { tokeep } from '../tokeep.ts';
import { Pool, type User } from './pool.ts';
import { domain, poolAudience } from './pool-config.ts';
import { surroundings } from './surroundings.ts';
import { until } from './until.ts';

const told = surroundings();
const pool = new Pool(told.root);
const inRoot = (path: string) => join(told.root, path);

/** By what `tokeep issuer trust` says a site should write. */
let pilots: IssuerHere;
/** By rules about groups and scopes, in the plugin. */
let collaboration: IssuerHere;
const ended = new AsyncDisposableStack();

before(async () => {
  pilots = ended.use(await startIssuer(told));
  collaboration = ended.use(await startIssuer(told));
  await Promise.all([pilots.publish(), collaboration.publish()]);
  const advice = await tokeep('issuer', 'trust', pilots.url, '--for', 'htcondor-ce', '--user', 'cespilot');
  const line = advice.split('\n').find((text) => text.startsWith('SCITOKENS '));
  const plugin = `SCITOKENS /^${collaboration.url.replaceAll('/', '\\/').replaceAll('.', '\\.')},/ PLUGIN:TOKEEP`;
  const mapfile = inRoot('etc/condor/condor_mapfile');
  await writeFile(mapfile, `${line}\n${plugin}\n${await readFile(mapfile, 'utf8')}`);
  const { url: issuer } = collaboration;
  const rules = [
    { issuer, group: '/wlcg/production', scope: 'compute.create', user: 'cesprod' },
    { issuer, group: '/wlcg', user: 'cespilot' },
  ];
  await writeFile(inRoot('etc/condor/map-rules.json'), JSON.stringify({ rules }), { mode: 0o644 });
  await pool.output(['condor_reconfig', '-schedd']);
});
after(() => ended.disposeAsync());

interface Answers {
  readonly READ?: string;
  readonly WRITE?: string;
  readonly said: string;
}

/** Level by level, who condor_ping found the bearer to be; a level that is missing is denied. */
async function ping(user: User, env: Readonly<Record<string, string>>): Promise<Answers> {
  const how = { user, env };
  const { stdout, stderr } = await pool.run(['condor_ping', '-type', 'SCHEDD', '-table', 'READ', 'WRITE'], how);
  const allowed = [...stdout.matchAll(/^\s*(READ|WRITE)\s.*\sALLOW\s+(\S+)$/gm)].map(([, level = '', who]) => [
    level,
    who,
  ]);
  return { said: stdout + stderr, ...Object.fromEntries(allowed) };
}

/** As a client that has this token and nothing else, in the file that WLCG's discovery finds first. */
async function bearing(
  user: User,
  issuer: IssuerHere,
  wish: Pick<TokenWish, 'scope' | 'groups'>,
): Promise<Record<string, string>> {
  const [token = ''] = await issuer.mint([{ audiences: [poolAudience], ...wish }]);
  const file = await pool.write(user, `token-${Math.random()}`, token);
  return { _CONDOR_SEC_CLIENT_AUTHENTICATION_METHODS: 'SCITOKENS', BEARER_TOKEN_FILE: file };
}

const allOfCompute = 'compute.read compute.create compute.modify compute.cancel';

test('an IDTOKEN that `tokeep idtoken` made is accepted by the schedd, for the levels it has', async () => {
  await pool.output(['mkdir', '-p', '-m', '700', '/home/heidi/.condor/tokens.d'], { user: 'heidi' });
  const create = ['tokeep', 'idtoken', 'create', '--identity', `heidi@${domain}`, '--trust-domain', domain];
  await pool.write('heidi', '.condor/tokens.d/tokeep', await pool.output([...create, '--scope', 'READ']));
  const { said, ...levels } = await ping('heidi', { _CONDOR_SEC_CLIENT_AUTHENTICATION_METHODS: 'IDTOKENS' });
  assert.deepEqual(levels, { READ: `heidi@${domain}` }, said);
});

test('a SciToken of ours authenticates to the schedd and is mapped by the line that `tokeep issuer trust` wrote', async () => {
  const { said, ...levels } = await ping('ivan', await bearing('ivan', pilots, { scope: allOfCompute }));
  assert.deepEqual(levels, { READ: `cespilot@${domain}`, WRITE: `cespilot@${domain}` }, said);
  const reader = await ping('ivan', await bearing('ivan', pilots, { scope: 'compute.read' }));
  assert.deepEqual([reader.READ, reader.WRITE], [`cespilot@${domain}`, undefined], reader.said);
});

test('a pilot is submitted by nothing but such a token, and runs as the user it is mapped to', async () => {
  // It comes from a machine that has no credmon, so that condor_submit asks for no token of a local issuer.
  const env = { ...(await bearing('ivan', pilots, { scope: allOfCompute })), _CONDOR_LOCAL_CREDMON_PROVIDER_NAME: '' };
  const job = await pool.queued('ivan', { script: 'id -un' }, { env, args: ['-spool'] });
  const ad = await until(
    'the pilot has run',
    async () => {
      const found = await pool.ad(job);
      return found['JobStatus'] === 4 && found;
    },
    { within: 60, explain: async () => JSON.stringify(await pool.ad(job), null, 1) },
  );
  const { Owner, AuthTokenIssuer, AuthTokenSubject, AuthTokenScopes } = ad;
  assert.deepEqual([Owner, AuthTokenIssuer, AuthTokenSubject], ['cespilot', pilots.url, 'robot']);
  assert.deepEqual(String(AuthTokenScopes).split(','), allOfCompute.split(' '));
});

test('the plugin maps by group and scope: production to one user, the rest of the collaboration to another, nobody else', async () => {
  const as = async (wish: Pick<TokenWish, 'scope' | 'groups'>) =>
    await ping('niaj', await bearing('niaj', collaboration, wish));
  const production = await as({ scope: allOfCompute, groups: ['/wlcg/production', '/wlcg'] });
  assert.equal(production.WRITE, `cesprod@${domain}`, production.said);
  const reader = await as({ scope: 'compute.read', groups: ['/wlcg/production', '/wlcg'] });
  assert.equal(reader.READ, `cespilot@${domain}`, reader.said);
  const nobody = await as({ scope: allOfCompute });
  assert.equal(nobody.READ, undefined, nobody.said);
});
