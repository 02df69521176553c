import assert from 'node:assert/strict';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { knownIssuers } from '../../src/acquire/known-issuers.ts';
import { readAgentAccount } from '../../src/acquire/oidc-agent-file.ts';
import { agentRedirects } from '../../src/cli/osg-setup/agent-client.ts';
import { parseArguments } from '../../src/cli/osg-setup/arguments.ts';
import { Secret } from '../../src/token/secret.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { KnownClient } from '../peers/issuer-config.ts';
import { type RunningIssuer, startIssuer } from '../peers/start-issuer.ts';
import { bench } from './setup-peer.ts';

const robot: KnownClient = {
  client_id: 'robot-1',
  client_secret: 'robot-canary%50-0123456789abcdefghijklmnopqr',
  grant_types: ['client_credentials'],
};
const person: KnownClient = {
  client_id: 'person-1',
  client_secret: 'person-canary-0123456789abcdefghijklmnopqrs',
  grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
};

let issuer: RunningIssuer;
before(async () => {
  issuer = await startIssuer({ clients: [robot, person] });
});
after(() => issuer.stop());

const program = 'osg-token-renewer-setup';
/** As OSG's script, it takes the word of USER; the test may run as anybody. */
const asService = { USER: 'osg-token-svc' };
const lines = (...answers: string[]) => answers.map((answer) => `${answer}\n`).join('');

test('client credentials: issuer, id and secret come in one go through a pipe; the secret is in a file, not on the screen', async () => {
  await using at = await bench();
  const env = { ...asService, OSG_TOKEN_RENEWER_CONFIG_PATH: at.path('config.ini') };
  const input = lines(issuer.issuer, 'robot-1', robot.client_secret!);
  const ran = await at.run(program, ['--client-credentials', 'pilot'], { input, env });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stderr, /Token issuer url: .*Client id: .*Secret: /s);
  assert.match(
    ran.stdout,
    /^\[account pilot\]\ntoken_request_url = http\S+\/token\nclient_id = robot-1\n# client_secret/,
  );
  const whole = await readFile(at.path('pilot.account'), 'utf8');
  assert.ok(whole.includes(`client_secret = ${robot.client_secret!.replace('%', '%%')}\n`));
  assert.equal((await stat(at.path('pilot.account'))).mode & 0o777, 0o600);
  assert.match(ran.stderr, /trial token, good for/);
});

test('a client that is refused is warned of, but the section is made, as ever', async () => {
  await using at = await bench();
  const env = { ...asService, OSG_TOKEN_RENEWER_CONFIG_PATH: at.path('config.ini') };
  const input = lines(issuer.issuer, 'robot-1', 'wrong-canary');
  const ran = await at.run(program, ['--client-credentials', 'pilot'], { input, env });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stderr, /warning: no trial token/);
});

test('OIDC: issuer and scopes, a registered client, a login; oidc-agent can open the account that is left', async () => {
  await using at = await bench();
  const pw = await at.file('robot.pw', 'password canary\nsecond line\n');
  const options = { input: lines(issuer.issuer, ''), env: asService, approves: true } as const;
  const ran = await at.run(program, ['--pw-file', pw, 'robot'], options);
  assert.equal(ran.status, 0, ran.stderr);
  const order = [
    /The following scopes are supported: /,
    /Registering Client \.\.\./,
    /Generating account configuration \.\.\./,
    /accepted/,
    /Using a browser on any device, visit:\nhttp/,
    /And enter the code: [A-Z]{4}-[A-Z]{4}/,
    /Everything setup correctly!/,
    /\[account robot\]\npassword_file = \/.*robot\.pw\n/,
  ].map((pattern) => ran.stdout.search(pattern));
  assert.ok(
    order.every((place) => place >= 0) && order.every((place, at) => at === 0 || place > order[at - 1]!),
    ran.stdout,
  );
  assert.match(ran.stderr, /Issuer.*: Scopes or 'max' \(space separated\) \[openid profile offline_access\]: /s);
  const file = at.path('.oidc-agent/robot');
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(at.path('.oidc-agent'))).mode & 0o777, 0o700);
  const account = await readAgentAccount(await readFile(file, 'utf8'), new Secret('password', 'password canary'));
  assert.equal(account.issuer, issuer.issuer);
  assert.equal(account.scope, 'openid profile offline_access');
  assert.equal(account.refreshScope, 'openid profile');
  assert.ok(account.credential !== undefined && account.clientSecret !== undefined);
  assert.deepEqual(JSON.parse(account.reveal()).redirect_uris, agentRedirects);
});

test('OIDC by hand: the known issuers by number, id and secret, scopes, redirect URIs, in that order', async () => {
  await using at = await bench();
  await mkdir(at.path('agent'), { mode: 0o700 });
  await at.file('agent/issuer.config', JSON.stringify([{ issuer: 'https://first.test/' }, { issuer: issuer.issuer }]));
  const pw = await at.file('p.pw', 'password canary\n');
  // The machine may have settings of oidc-agent for all its users, which come first.
  const { issuers } = await knownIssuers({ ...realWorld(), env: { OIDC_CONFIG_DIR: at.path('agent') } });
  const number = issuers.findIndex((known) => known.issuer === issuer.issuer) + 1;
  const input = lines(String(number), 'person-1', person.client_secret!, 'openid offline_access', '');
  const env = { ...asService, OIDC_CONFIG_DIR: at.path('agent') };
  const ran = await at.run(program, ['--manual', '--pw-file', pw, 'p'], { input, env, approves: true });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout, /^No account exists with this short name\. Creating new configuration \.\.\.\n\[1\] https:/);
  assert.match(
    ran.stderr,
    /Issuer \[https:\S+\]: Client_id: Client_secret: Scopes.*: Redirect_uris \(space separated\): /,
  );
  assert.doesNotMatch(ran.stdout, /Registering/);
  const account = await readAgentAccount(
    await readFile(at.path('agent/p'), 'utf8'),
    new Secret('password', 'password canary'),
  );
  assert.equal(account.clientId, 'person-1');
});

test('the input ending early, a missing password file, and another user end with a sentence and exit 1', async () => {
  await using at = await bench();
  const early = await at.run(program, ['--client-credentials', 'x'], { input: 'https://', env: asService });
  assert.equal(early.status, 1);
  assert.match(early.stderr, /the input ended where "Token issuer url:" was asked for/);
  const missing = await at.run(program, ['--pw-file', at.path('no.pw'), 'x'], { input: '', env: asService });
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /please create \S+no\.pw with encryption password/);
});

test('any other option, no name or two names, and names that could be paths give the usage and exit 1', async () => {
  for (const args of [
    [],
    ['-x', 'a'],
    ['--help'],
    ['a', 'b'],
    ['--pw-file'],
    ['../a'],
    ['a b'],
    ['--pw-fd', 'x', 'a'],
  ]) {
    assert.equal(parseArguments(args), undefined, args.join(' '));
  }
  assert.equal(parseArguments(['a'])?.pwFile, '/etc/osg/tokens/a.pw');
  await using at = await bench();
  const ran = await at.run(program, ['-x', 'a']);
  assert.equal(ran.status, 1);
  assert.match(ran.stderr, /^Usage: osg-token-renewer-setup/);
});
