import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import {
  type HostileIssuer,
  hostileIssuer,
  json,
  type SeenRequest,
  type Step,
  token,
} from '../peers/hostile-issuer.ts';
import { notifySocket } from '../peers/notify-socket.ts';
import { type SmtpSink, smtpSink } from '../peers/smtp-sink.ts';
import { type House, house, until } from './house.ts';

let issuer: HostileIssuer;
let mail: SmtpSink;
before(async () => {
  [issuer, mail] = await Promise.all([hostileIssuer(), smtpSink()]);
});
after(async () => {
  await Promise.all([issuer.stop(), mail[Symbol.asyncDispose]()]);
});

/** Seconds. */
const life = 5;

/** A refresh token that is good once, and for whom it stays dead until somebody logs in again. */
class OneLogin {
  readonly spent: string[] = [];
  dead = false;
  #current = 'refresh-1';

  readonly step: Step = (response, request: SeenRequest) => {
    if (request.form.get('grant_type') === 'client_credentials') {
      token({ access_token: `own-${this.spent.length}-${randomUUID()}`, expires_in: life })(response, request);
      return;
    }
    const sent = request.form.get('refresh_token') ?? '';
    this.spent.push(sent);
    if (this.dead || sent !== this.#current) {
      json(400, { error: 'invalid_grant', error_description: 'Session not active' })(response, request);
      return;
    }
    this.#current = `refresh-${this.spent.length + 1}`;
    const given = { access_token: `access-${this.spent.length}`, refresh_token: this.#current, expires_in: life };
    token(given)(response, request);
  };

  get current(): string {
    return this.#current;
  }
}

interface Hook extends AsyncDisposable {
  readonly url: string;
  readonly messages: readonly string[];
}

async function webhook(): Promise<Hook> {
  const messages: string[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    messages.push(text);
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    messages,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const yaml = (at: House, hook: string, more = '') => `accounts:
  robot: { grant: refresh_token, issuer: ${issuer.issuer}, client_id: r, client_secret: { file: ${at.path('secret')} } }
  own: { grant: client_credentials, issuer: ${issuer.issuer}, client_id: r, client_secret: { file: ${at.path('secret')} } }
tokens:
  a: { account: robot, deliver: [{ file: ${at.path('out/a')} }] }
${more}
notify:
  hook: { webhook: { url: ${hook} } }
  mail: { mail: { to: [ops@example.org], from: tokeep@example.org, host: 127.0.0.1, port: ${mail.port}, tls: none } }
  program: { command: [/bin/sh, ${at.path('tell.sh')}] }
metrics: { textfile: ${at.path('metrics.prom')} }
`;

test('the daemon keeps a token of five seconds, knows a dead login, reloads, and stops', async () => {
  const login = new OneLogin();
  issuer.always(login.step);
  await using hook = await webhook();
  await using at = await house();
  using manager = notifySocket();
  await at.file('secret', 'a-secret');
  await at.file('tell.sh', `cat >> ${at.path('told')}\n`, 0o700);
  await at.file('first', login.current);
  await at.file('tokeep.yaml', yaml(at, hook.url), 0o600);
  const stay = process.getuid?.() === 0 ? ['--user', 'root'] : [];
  const setUp = ['setup', ...stay, '--yes', '--issuer', issuer.issuer, '--client-id', 'r'];
  const takeOver = [
    ...setUp,
    '--client-secret-file',
    at.path('secret'),
    '--refresh-token-file',
    at.path('first'),
    'robot',
  ];
  const taken = await at.run(takeOver);
  assert.equal(taken.status, 0, taken.stderr);

  const env = { NOTIFY_SOCKET: manager.name, WATCHDOG_USEC: '600000' };
  await using daemon = at.start(['run', '--metrics', '127.0.0.1:0'], { env });
  const address = (await daemon.hears(/127\.0\.0\.1:[1-9]\d*/)).trim();
  await until('READY and WATCHDOG', () => /READY=1.*WATCHDOG=1/s.test(manager.said()));

  // From here on nobody reads that socket for a while: it fills up, and that must not stop anything.
  const second = await at.run(['run']);
  assert.equal(second.status, 7, second.stderr);

  await until('a third renewal', () => login.spent.length >= 3);
  const beside = await at.run(['renew', '--force', 'a']);
  assert.equal(beside.status, 0, beside.stderr);
  assert.equal(new Set(login.spent).size, login.spent.length, 'a refresh token was sent twice');
  assert.match(await (await fetch(`http://${address}/metrics`)).text(), /^tokeep_/m);
  assert.match(await at.read('metrics.prom'), /^tokeep_/m);
  assert.equal((await fetch(`http://${address}/readyz`)).status, 200);

  login.dead = true;
  await daemon.hears(/renewal-failed.*Session not active/, daemon.said().length - 1);
  const status = await at.run(['status']);
  assert.match(status.stdout, /robot/);
  assert.equal(status.status, 5, status.stdout);
  // The token lives five seconds: it has run out, and that is told at once, with its cause.
  const about = (text: string) => /robot/.test(text);
  await until('a message by webhook', () => hook.messages.some(about));
  await until('a mail', () => mail.mails.length > 0);
  await until('a message to the program', async () => about(await at.read('told').catch(() => '')));
  const sent = await at.run(['notify', 'test']);
  assert.equal(sent.status, 0, sent.stderr);
  assert.doesNotMatch(hook.messages.join('') + mail.heard.join(''), /refresh-\d|access-\d|a-secret/);

  const heardBefore = daemon.said().length;
  await at.file('tokeep.yaml', `${yaml(at, hook.url)}\nnonsense: [`, 0o600);
  manager.said();
  daemon.child.kill('SIGHUP');
  await daemon.hears(/config-rejected/, heardBefore);
  await at.file(
    'tokeep.yaml',
    yaml(at, hook.url, `  b: { account: own, deliver: [{ file: ${at.path('out/b')} }] }`),
    0o600,
  );
  daemon.child.kill('SIGHUP');
  await daemon.hears(/config-reloaded/, heardBefore);
  await until('the token of the new wish', () => at.read('out/b').catch(() => undefined));

  await until('RELOADING', () => manager.said().includes('RELOADING=1'));
  const ending = daemon.end('SIGTERM');
  await until('STOPPING', () => manager.said().includes('STOPPING=1'));
  const ended = await ending;
  assert.equal(ended.status, 0, ended.stderr);
});
