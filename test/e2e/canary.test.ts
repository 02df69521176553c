import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { hostileIssuer, json } from '../peers/hostile-issuer.ts';
import { startOidcAgent } from '../peers/oidc-agent-server.ts';
import { type AllGrants, allGrants } from './all-grants.ts';
import { house } from './house.ts';

/** Where secrets lie on purpose: those the configuration names, and what was delivered. */
const rightful = /^(?:[\w.-]+\.(?:secret|pem|pw)|credentials\/\w+|out\/[\w.-]+\.token|tokeep\.yaml)$/;

async function everyFile(directory: string): Promise<readonly string[]> {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

async function secretsOf(all: AllGrants): Promise<readonly string[]> {
  const tokens: string[] = [];
  for (const file of await everyFile(all.house.path('out')))
    if (file.endsWith('.token')) tokens.push((await readFile(file, 'utf8')).trim());
  // What a vault of a test gives is too short to be looked for.
  return [all.canary, ...(await all.foreignSecrets()), ...tokens].filter((secret) => secret.length > 12);
}

function assertClean(where: string, text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    for (const form of [secret, Buffer.from(secret).toString('base64').slice(0, -4), encodeURIComponent(secret)])
      assert.ok(!text.includes(form), `${where} holds the secret ${secret.slice(0, 24)}…`);
  }
}

test('no secret is in any output, file, argument, environment, message or metric but where it belongs', async () => {
  await using all = await allGrants();
  const { house: at } = all;
  await at.file(
    'tokeep.yaml',
    `${await at.read('tokeep.yaml')}
notify: { people: { command: [/bin/sh, ${await at.file('tell.sh', `cat >> ${at.path('messages')}\n`, 0o700)}] } }
metrics: { textfile: ${at.path('metrics.prom')} }
`,
  );
  for (const args of [
    ['config', 'check', '--online', '--verbose'],
    ['renew', '--force', '--verbose'],
    ['renew', '--force', '--json', '--verbose'],
    ['status', '--json'],
    ['config', 'show'],
    ['account', 'list', '--json'],
    ['notify', 'test'],
    ['forecast'],
  ]) {
    const ran = await at.run(args);
    assert.equal(ran.status, 0, `${args.join(' ')}: ${ran.stderr}`);
  }
  await at.file('basic.secret', `${all.canary}-wrong\n`);
  const refused = await at.run(['renew', '--force', '--verbose', 'basic']);
  assert.notEqual(refused.status, 0);

  const running = at.start(['run', '--verbose']);
  await running.hears(/started/);
  await running.end();

  const secrets = await secretsOf(all);
  assert.ok(secrets.length > 15, `only ${secrets.length} secrets were collected`);
  assertClean('what was said', at.heard.join('\n'), secrets);
  const seen = await at.read('seen-processes');
  assert.match(seen, /main\.ts/);
  assertClean('arguments and environments', seen, secrets);
  assert.match(await at.read('messages'), /test/);
  for (const file of await everyFile(at.directory)) {
    const name = relative(at.directory, file);
    // oidc-agent's own file is sealed; the state, the messages and the metrics are looked at like everything else.
    if (!rightful.test(name)) assertClean(name, (await readFile(file)).toString('latin1'), secrets);
  }
});

test('whoever quotes a secret in an error does not make us say it', async () => {
  const secret = 'canary-0123456789-abcdefghijklmnop';
  const jwt = `eyJhbGciOiJub25lIn0.${Buffer.from(`{"sub":"${secret}"}`).toString('base64url')}.c2lnbmF0dXJl`;
  await using issuer = await hostileIssuer();
  issuer.always((response, request) => {
    const sent = `${request.form.get('refresh_token') ?? ''} ${request.headers.authorization ?? ''} ${request.form}`;
    json(400, { error: 'invalid_grant', error_description: `the token ${sent} is no good` })(response, request);
  });
  await using agent = await startOidcAgent(() => ({ status: 'failure', error: `cannot use ${secret} nor ${jwt}` }));
  await using at = await house();
  await at.file('client.secret', secret);
  await at.file('refresh.secret', `refresh-${secret}`);
  await at.file(
    'tokeep.yaml',
    `accounts:
  agent: { grant: oidc_agent, shortname: x, socket: ${agent.socket} }
  own: { grant: client_credentials, issuer: ${issuer.issuer}, client_id: c, client_secret: { file: ${at.path('client.secret')} } }
`,
    0o600,
  );
  const stay = process.getuid?.() === 0 ? ['--user', 'root'] : [];
  const client = ['--client-id', 'c', '--client-secret-file', at.path('client.secret')];
  const taken = ['--refresh-token-file', at.path('refresh.secret'), 'taken'];
  const made = await at.run(['setup', ...stay, '--yes', '--issuer', issuer.issuer, ...client, ...taken]);
  assert.equal(made.status, 0, made.stderr);
  const wishes = ['agent', 'own', 'taken'].map((name) => `  ${name}: { account: ${name} }`);
  await at.file('tokeep.yaml', `${await at.read('tokeep.yaml')}\ntokens:\n${wishes.join('\n')}\n`);
  const renewed = await at.run(['renew', '--verbose']);
  assert.notEqual(renewed.status, 0);
  for (const args of [['status'], ['status', '--json'], ['get', 'taken', '--verbose'], ['get', 'agent', '--verbose']])
    await at.run(args);
  assertClean('what was said', at.heard.join('\n'), [secret, jwt]);
  for (const file of await everyFile(at.path('state')))
    assertClean(file, (await readFile(file)).toString('latin1'), [secret, jwt]);
});
