import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatRequestFile,
  isRequestFileName,
  type LoginRequest,
  parseRequestFile,
  type RequestFile,
} from '../../src/condor/request-file.ts';
import { Secret } from '../../src/token/secret.ts';

const parse = (text: string): RequestFile => parseRequestFile(Buffer.from(text));
const revealed = (requests: readonly LoginRequest[]) =>
  requests.map((each) => ({ ...each, clientSecret: each.clientSecret.reveal() }));

/** As condor_credd 23.9.6 wrote it. */
const sample = `Audience = "https://data.example.org"
AuthorizationUrl = "https://issuer.example.org/authorize"
ClientId = "client-mytok"
ClientSecret = "s3cr3t-of-mytok"
Handle = "rd"
LocalUser = "bob"
Provider = "mytok"
ReturnUrl = "https://127.0.0.1:8443/return/mytok"
Scopes = "read:/public"
TokenUrl = "https://issuer.example.org/token"
`;

test('a request file of condor_credd is read, and written again to the byte', () => {
  const file = parse(sample);
  assert.equal(file.kind, 'requests');
  assert.deepEqual(revealed(file.requests), [
    {
      provider: 'mytok',
      handle: 'rd',
      scopes: 'read:/public',
      audience: 'https://data.example.org',
      clientId: 'client-mytok',
      clientSecret: 's3cr3t-of-mytok',
      authorizationUrl: 'https://issuer.example.org/authorize',
      tokenUrl: 'https://issuer.example.org/token',
      returnUrl: 'https://127.0.0.1:8443/return/mytok',
      localUser: 'bob',
    },
  ]);
  assert.equal(formatRequestFile(file.requests), sample);
});

test('several services come in one file, separated by a blank line; an empty handle is none, a domain is cut off', () => {
  const other = sample.replace('"rd"', '""').replace('"bob"', '"bob@pool.example"');
  const file = parse(`${sample}\n${other}`);
  assert.equal(file.kind, 'requests');
  assert.equal(file.requests.length, 2);
  assert.deepEqual(
    file.requests.map(({ handle, localUser }) => [handle, localUser]),
    [
      ['rd', 'bob'],
      [undefined, 'bob'],
    ],
  );
});

test('a backslash stands for itself, except before a quotation mark inside the string', () => {
  const scopesOf = (literal: string) => {
    const file = parse(sample.replace('Scopes = "read:/public"', `Scopes = ${literal}`));
    return file.kind === 'requests' ? file.requests[0]?.scopes : file.why;
  };
  assert.equal(scopesOf(String.raw`"a\\b"`), String.raw`a\\b`);
  assert.equal(scopesOf(String.raw`"q\"u\"o"`), 'q"u"o');
  assert.equal(scopesOf(String.raw`"tail\"`), 'tail\\');
  assert.equal(scopesOf(String.raw`"nl\nx"`), String.raw`nl\nx`);
  assert.equal(scopesOf('"a"b"'), 'has a value that is no string: Scopes');
});

test('whatever is asked for comes back to the byte, as long as it has no line end', () => {
  const word = fc.string().filter((text) => !text.includes('\n') && text.isWellFormed());
  const name = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
  const request = fc.record({
    provider: name,
    handle: name,
    scopes: word,
    audience: word,
    clientId: word,
    clientSecret: word.map((text) => new Secret('client_secret', text)),
    authorizationUrl: word,
    tokenUrl: word,
    returnUrl: word,
    localUser: name,
  });
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 3 }), (requests) => {
      const back = parse(formatRequestFile(requests));
      assert.equal(back.kind, 'requests');
      assert.deepEqual(revealed(back.requests), revealed(requests));
    }),
  );
});

test('a line end in what a user asked for cannot slip in an attribute: the file is unreadable, or says what it said', () => {
  const evil = fc.constantFrom(
    'x\nTokenUrl = "https://evil.example"\nZ = "',
    'x"\nTokenUrl = "https://evil.example',
    'x\nTokenUrl = Audience',
    'x\\\nLocalUser = "root',
    'x\n\nProvider = "mytok"',
  );
  fc.assert(
    fc.property(evil, fc.constantFrom('scopes', 'audience'), (text, where) => {
      const file = parse(sample);
      assert.equal(file.kind, 'requests');
      const crafted = parse(formatRequestFile(file.requests.map((each) => ({ ...each, [where]: text }))));
      if (crafted.kind === 'unreadable') return;
      assert.equal(crafted.requests.length, 1);
      assert.equal(crafted.requests[0]?.tokenUrl, 'https://issuer.example.org/token');
      assert.equal(crafted.requests[0]?.localUser, 'bob');
    }),
  );
});

test('what is not a request file says why, without a word of its content', () => {
  const reasons: readonly (readonly [string, string])[] = [
    ['', 'is empty'],
    ['\n\n', 'is empty'],
    ['nonsense', 'has a line that is no attribute'],
    [sample.replace('"bob"', 'bob'), 'has a value that is no string: LocalUser'],
    [sample.replace(/TokenUrl.*\n/, ''), 'lacks TokenUrl'],
    [sample.replace('"bob"', '""'), 'has an empty LocalUser'],
    [`${sample}scopes = "more"\n`, 'names scopes twice'],
    [`${sample}Later = 3\nMore = true\n`, 'fine'],
  ];
  for (const [text, reason] of reasons) {
    const file = parse(text);
    assert.equal(file.kind === 'unreadable' ? file.why : 'fine', reason);
  }
  assert.equal(parseRequestFile(Buffer.from([0x41, 0xff])).kind, 'unreadable');
  assert.equal(parseRequestFile(Buffer.alloc(1024 * 1024 + 1, 'a')).kind, 'unreadable');
});

test('only 64 lower-case hex digits name a request file', () => {
  assert.ok(isRequestFileName('0123456789abcdef'.repeat(4)));
  for (const name of ['A'.repeat(64), 'a'.repeat(63), 'a'.repeat(65), `../${'a'.repeat(64)}`, `${'a'.repeat(64)}\n`])
    assert.ok(!isRequestFileName(name), name);
});
