import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { NotifyChannel, NotifyRule } from '../../src/config/config.ts';
import type { Condition } from '../../src/observe/condition.ts';
import { conditionsOf } from '../../src/observe/conditions.ts';
import type { silentLogger } from '../../src/observe/log.ts';
import { createNotifier } from '../../src/observe/notifier.ts';
import type { NoticeRecord } from '../../src/store/records.ts';
import { after, hours, minutes, seconds } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import { smtpSink } from '../peers/smtp-sink.ts';
import { throwAwayCa } from '../peers/throw-away-ca.ts';
import { noon, records, wanted } from './samples.ts';

const condition: Condition = {
  key: 'account:atlas:login',
  subject: { kind: 'account', name: 'atlas' },
  code: 'login-needed',
  severity: 'critical',
  who: 'user',
  sentence: 'the issuer says <!channel> & more',
  hint: 'run: tokeep account login atlas',
  since: noon,
  nextTry: null,
  stage: 'dead',
};

function notifierFor(channels: readonly NotifyChannel[], world: World = { ...realWorld(), clock: at(0) }) {
  const rules = channels.map((channel, n): NotifyRule => ({ name: `rule-${n}`, channel, only: [] }));
  const failed: string[] = [];
  const log: typeof silentLogger = {
    event: (name, fields) => {
      if (name === 'notify-failed') failed.push(String((fields as unknown as { reason: string }).reason));
    },
  };
  return { notifier: createNotifier({ world, rules, host: 'ce1.example', log }), failed };
}

const at = (ms: number): World['clock'] => ({ ...realWorld().clock, now: () => after(noon, seconds(ms / 1000)) });

async function hook(answer: number) {
  const bodies: { readonly path: string; readonly auth: string | undefined; readonly body: string }[] = [];
  const status = { now: answer };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    bodies.push({ path: request.url ?? '', auth: request.headers.authorization, body });
    response.writeHead(status.now).end();
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/services/s3cret-path`,
    bodies,
    status,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

/** Not below /tmp: a trusted command must not lie where everybody may write. */
async function directory() {
  const path = await mkdtemp(join(homedir(), '.tokeep-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const mailTo = (port: number, more: Partial<Extract<NotifyChannel, { kind: 'mail' }>> = {}): NotifyChannel => ({
  kind: 'mail',
  to: ['ops@example.org', 'second@example.org'],
  from: 'tokeep@ce1.example',
  host: '127.0.0.1',
  port,
  tls: 'none',
  ...more,
});

test('a mail says what is wrong, whose turn it is and what to run', async () => {
  await using sink = await smtpSink();
  await using place = await directory();
  await writeFile(join(place.path, 'password'), 'mail-canary\n', { mode: 0o600 });
  const login = { user: 'bot', password: { kind: 'file', path: join(place.path, 'password') } } as const;
  const { notifier, failed } = notifierFor([mailTo(sink.port, { login })]);
  const said = await notifier.tell([condition], []);
  assert.deepEqual(failed, []);
  const [mail] = sink.mails;
  assert.equal(sink.mails.length, 1);
  assert.deepEqual(mail?.to, ['ops@example.org', 'second@example.org']);
  assert.match(mail?.data ?? '', /Subject: tokeep on ce1.example: the issuer says/);
  assert.match(
    mail?.data ?? '',
    /whose turn: somebody with this login\n {2}what to do: run: tokeep account login atlas/,
  );
  assert.ok(!(mail?.data ?? '').includes('mail-canary'));
  assert.ok(sink.heard.some((line) => line === `AUTH PLAIN ${Buffer.from('\0bot\0mail-canary').toString('base64')}`));
  assert.deepEqual(await notifier.tell([condition], said), [], 'and it is said once');
});

test('where no mail server listens, the reason says so, and where', async () => {
  const { port } = await smtpSink().then(async (sink) => {
    await sink[Symbol.asyncDispose]();
    return sink;
  });
  const { notifier, failed } = notifierFor([mailTo(port)]);
  await notifier.tell([condition], []);
  assert.equal(failed.length, 1);
  assert.match(
    failed[0] ?? '',
    new RegExp(`nothing listens at 127\\.0\\.0\\.1 port ${port} \\(connection refused\\)$`),
  );
});

test('where STARTTLS is asked for, mail and password go out through it, to a server we trust, and not otherwise', async () => {
  const login = { user: 'bot', password: { kind: 'command', argv: ['/bin/echo', 'mail-canary'] } } as const;
  await using ca = await throwAwayCa();
  const { certFile, keyFile } = await ca.certificate();
  const tls = { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
  const attempt = async (options: { tls?: typeof tls }) => {
    await using sink = await smtpSink(options);
    const { notifier, failed } = notifierFor([mailTo(sink.port, { tls: 'starttls', login })]);
    await notifier.tell([condition], []);
    return { failed, mails: sink.mails, heard: sink.heard };
  };
  for (const options of [{}, { tls }]) {
    const { failed, mails, heard } = await attempt(options);
    assert.equal(failed.length, 1);
    assert.deepEqual(mails, []);
    assert.ok(!heard.some((line) => line.startsWith('AUTH')), heard.join());
  }
  const usual = getCACertificates('default');
  setDefaultCACertificates([...usual, await readFile(ca.caFile, 'utf8')]);
  try {
    const { failed, mails } = await attempt({ tls });
    assert.deepEqual(failed, []);
    assert.equal(mails[0]?.encrypted, true);
  } finally {
    setDefaultCACertificates(usual);
  }
});

test('webhooks get the whole message as JSON, or a text in which nothing wakes up everybody', async () => {
  await using json = await hook(200);
  await using slack = await hook(204);
  const { notifier, failed } = notifierFor([
    { kind: 'webhook', url: json.url, form: 'json', bearer: { kind: 'command', argv: ['/bin/echo', 'b3arer'] } },
    { kind: 'webhook', url: slack.url, form: 'slack' },
  ]);
  await notifier.tell([condition], []);
  assert.deepEqual(failed, []);
  assert.equal(json.bodies[0]?.auth, 'Bearer b3arer');
  const message = JSON.parse(json.bodies[0]?.body ?? '');
  assert.equal(message.host, 'ce1.example');
  assert.equal(message.changes[0].kind, 'raised');
  assert.equal(message.changes[0].hint, 'run: tokeep account login atlas');
  const { text } = JSON.parse(slack.bodies[0]?.body ?? '') as { text: string };
  assert.match(text, /the issuer says &lt;!channel&gt; &amp; more/);
});

test('a command gets the message on standard input', async () => {
  await using place = await directory();
  const script = join(place.path, 'tell');
  await writeFile(script, `#!/bin/sh\ncat > "$1"\n`);
  await chmod(script, 0o700);
  const out = join(place.path, 'told');
  const { notifier, failed } = notifierFor([{ kind: 'command', argv: [script, out], timeout: seconds(10) }]);
  await notifier.tell([condition], []);
  assert.deepEqual(failed, []);
  assert.equal(JSON.parse(await readFile(out, 'utf8')).changes[0].key, 'account:atlas:login');
});

test('a channel that fails stops no other, is a condition, is tried again later, and then says what it owes', async () => {
  await using bad = await hook(500);
  await using good = await hook(200);
  const clock = { ...at(0) };
  const { notifier, failed } = notifierFor(
    [
      { kind: 'webhook', url: bad.url, form: 'json' },
      { kind: 'webhook', url: good.url, form: 'json' },
    ],
    { ...realWorld(), clock },
  );
  const save = (before: readonly NoticeRecord[], news: readonly NoticeRecord[]) => [
    ...new Map([...before, ...news].map((record) => [`${record.channel} ${record.key}`, record])).values(),
  ];
  let said = save([], await notifier.tell([condition], []));
  assert.equal(good.bodies.length, 1);
  assert.equal(failed.length, 1);
  assert.ok(!failed[0]?.includes('s3cret-path'), failed[0]);
  const raised = conditionsOf(records({ notices: said }), wanted([], []), noon);
  assert.deepEqual(
    raised.map(({ key, code }) => [key, code]),
    [['state:notify:rule-0', 'notify-failed']],
  );

  said = save(said, await notifier.tell([condition], said));
  assert.equal(bad.bodies.length, 1, 'not again at once');
  bad.status.now = 200;
  clock.now = () => after(noon, minutes(2));
  said = save(said, await notifier.tell([condition], said));
  assert.equal(bad.bodies.length, 2);
  assert.deepEqual(conditionsOf(records({ notices: said }), wanted([], []), after(noon, hours(1))), []);
});

test('a test message goes to every rule, and each says how it went', async () => {
  await using bad = await hook(500);
  await using good = await hook(200);
  const { notifier } = notifierFor([
    { kind: 'webhook', url: bad.url, form: 'json' },
    { kind: 'webhook', url: good.url, form: 'slack' },
  ]);
  const [first, second] = await notifier.test();
  assert.equal(first?.fault?.code, 'notify-failed');
  assert.match(first?.fault?.message ?? '', /it answered 500/);
  assert.deepEqual(second, { rule: 'rule-1' });
  assert.match(good.bodies[0]?.body ?? '', /nothing is wrong/);
});
