import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AgentAccount, readAgentAccount, writeAgentAccount } from '../../src/acquire/oidc-agent-file.ts';
import { Secret } from '../../src/token/secret.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import { hostileIssuer, json, token } from '../peers/hostile-issuer.ts';
import { startOidcAgent } from '../peers/oidc-agent-server.ts';
import { setting } from './setting.ts';

const real = realWorld();
const password = new Secret('password', 'pw');
const scope = 'storage.read:/';

/** A directory with an oidc-agent account file, and a configuration that takes it over. */
async function agentAccount(document: Readonly<Record<string, unknown>>) {
  const dir = await mkdtemp(join(tmpdir(), 'tokeep-adopt-'));
  const write = async (change: Readonly<Record<string, unknown>> = {}) =>
    await writeFile(
      join(dir, 'acct'),
      await writeAgentAccount(
        new AgentAccount({ name: 'acct', ...document, ...change }, '5.3.3'),
        password,
        real.random,
      ),
      { mode: 0o600 },
    );
  await write();
  await writeFile(join(dir, 'password'), 'pw\n', { mode: 0o600 });
  const config = `
accounts:
  robot: { grant: refresh_token, oidc_agent_file: DIR/acct, password: { file: DIR/password }, timeout: 2s }
tokens:
  monitoring: { account: robot, scope: [storage.read:/], deliver: [{ file: DIR/token }] }
`;
  const inFile = async () =>
    (await readAgentAccount(await readFile(join(dir, 'acct'), 'utf8'), password)).credential?.reveal();
  return { dir, config, write, inFile };
}

/** No agent runs, and OSG's timer is as told. */
const withTimer = (enabled: boolean, socket = '/nonexistent/agent.sock'): Partial<World> => ({
  env: { ...real.env, OIDC_SOCK: socket },
  processes: {
    ...real.processes,
    run: async () => ({ kind: 'exited', status: enabled ? 0 : 1, stdout: '', stderr: '' }) as never,
  },
});

test('an account of oidc-agent is taken over, its rotated login written back, and a new login with oidc-gen taken again', async () => {
  await using issuer = await hostileIssuer();
  const file = await agentAccount({ issuer_url: issuer.issuer, client_id: 'agent', refresh_token: 'rt-1' });
  await using here = await setting({ ...file, world: withTimer(false) });
  issuer.script(token({ refresh_token: 'rt-2', scope }), json(400, { error: 'invalid_grant' }), token({ scope }));
  await here.pass();
  assert.equal(await here.delivered('token'), 'opaque-access-token');
  assert.equal(await file.inFile(), 'rt-2');
  await here.pass('forced');
  assert.equal((await here.account('robot')).login, 'suspended');
  await file.write({ refresh_token: 'rt-new' });
  await here.pass('forced');
  assert.equal(await here.refreshToken('robot'), 'rt-new');
  assert.equal((await here.account('robot')).login, 'ready');
});

test('while an agent has the account loaded, or OSG’s timer is enabled, it is not taken over and nothing is spent', async () => {
  await using issuer = await hostileIssuer();
  const file = await agentAccount({ issuer_url: issuer.issuer, client_id: 'agent', refresh_token: 'rt-1' });
  await using agent = await startOidcAgent(() => ({ status: 'success', info: ['acct'] }));
  for (const world of [withTimer(true), withTimer(false, agent.socket)]) {
    const here = await setting({ ...file, world });
    await here.pass('forced');
    assert.equal((await here.wish('monitoring')).trouble?.code, 'agent-file-busy');
    assert.match((await here.wish('monitoring')).trouble?.sentence ?? '', /did not take over/);
    assert.equal(await here.store.account('robot' as never), undefined);
    await here.close();
  }
  issuer.assertRequests(0);
});

test('an account file of a Mytoken server is refused with the name of the grant to use', async () => {
  await using issuer = await hostileIssuer();
  const file = await agentAccount({
    issuer_url: issuer.issuer,
    mytoken_url: 'https://mytoken.example',
    refresh_token: 'm',
  });
  await using here = await setting({ ...file, world: withTimer(false) });
  await here.pass();
  const { trouble } = await here.wish('monitoring');
  assert.equal(trouble?.code, 'agent-file-invalid');
  assert.match(trouble?.hint ?? '', /grant: mytoken/);
  issuer.assertRequests(0);
});

test('an agent that wrote the issuer with a slash too many does not stop the take-over, and the right name is remembered', async () => {
  await using issuer = await hostileIssuer();
  const document = { issuer_url: `${issuer.issuer}/`, client_id: 'agent', refresh_token: 'rt-1' };
  const file = await agentAccount(document);
  issuer.always(token({ scope }));
  const first = await setting({ ...file, world: withTimer(false) });
  assert.equal((await first.pass()).renewed, 1);
  await first.close();
  const lookUps = issuer.lookUps.length;
  await using second = await setting({ ...file, world: withTimer(false) });
  assert.equal((await second.pass('forced')).renewed, 1);
  assert.equal(issuer.lookUps.length - lookUps, 1);
});
