import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatMetaFile, parseMetaFile } from '../../src/condor/meta-file.ts';
import { parseTop, type TopFile, withSuccessor } from '../../src/condor/top-file.ts';
import { Secret } from '../../src/token/secret.ts';
import { epochFromSeconds, seconds } from '../../src/token/time.ts';

const parse = (text: string): TopFile => parseTop(Buffer.from(text));
const reasonOf = (text: string | Buffer) => {
  const top = parseTop(Buffer.from(text));
  return top.kind === 'unreadable' ? top.why : top.kind;
};
const jwt = (claims: object) =>
  [{ alg: 'ES256' }, claims, 's'].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');

test('an OAuth2 credential keeps its scopes and audience to the byte', () => {
  const top = parse('{"refresh_token": "r1", "scopes": "a,  b:/\\u00e4 ", "audience": ""}');
  assert.equal(top.kind, 'oauth2');
  assert.equal(top.refreshToken.reveal(), 'r1');
  assert.equal(top.scopes, 'a,  b:/ä ');
  assert.equal(top.audience, '');
  assert.deepEqual(Object.keys(parse('{"refresh_token":"r1"}')).sort(), ['kind', 'refreshToken']);
});

test('what condor_store_cred writes over several lines is read, too', () => {
  const top = parse('{\n  "audience": "https://a",\n  "refresh_token": "r1",\n  "scopes": "s"\n}\n\n');
  assert.deepEqual(top, {
    kind: 'oauth2',
    refreshToken: new Secret('refresh_token', 'r1'),
    scopes: 's',
    audience: 'https://a',
  });
});

test('a vault credential may lack its token, and then is a handle of its parent', () => {
  const whole = parse('{"vault_token":"hvs.1","vault_url":"https://v:8200/v1/x"}');
  assert.equal(whole.kind, 'vault');
  assert.equal(whole.vaultToken?.reveal(), 'hvs.1');
  const handle = parse('{"vault_url":"https://v:8200/v1/x","scopes":"read:/"}');
  assert.equal(handle.kind, 'vault');
  assert.equal(handle.vaultToken, undefined);
  assert.equal(handle.scopes, 'read:/');
  assert.deepEqual(parse('{"scopes":"s","audience":"a"}'), { kind: 'handle', scopes: 's', audience: 'a' });
});

test('a mytoken comes with its server, whatever the member is called, or names it itself', () => {
  const server = (text: string) => {
    const top = parse(text);
    return top.kind === 'mytoken' ? top.server : top;
  };
  assert.equal(server('{"mytoken":"m","mytoken_server":"https://m"}'), 'https://m');
  assert.equal(server('{"mytoken":"m","server":"https://m"}'), 'https://m');
  const token = jwt({ token_type: 'mytoken', iss: 'https://m' });
  assert.equal(server(JSON.stringify({ mytoken: token })), 'https://m');
  assert.equal(server(`${token}\n`), 'https://m');
  assert.equal(reasonOf('{"mytoken":"short"}'), 'has a mytoken and no mytoken_server');
  assert.equal(reasonOf(jwt({ token_type: 'mytoken' })), 'is a mytoken that does not name its server');
});

test('a mytoken encrypted by the credmon of another site is named as such', () => {
  assert.match(reasonOf(`gAAAAABl${'x'.repeat(112)}==`), /^is encrypted \(Fernet\)/);
});

test('an access token that was pushed is one, with its end or without, bare or in JSON', () => {
  const pushed = parse('{"access_token":"t","expires_in":"3600","expires_at":1800000000.5}');
  assert.deepEqual(pushed, {
    kind: 'access_token',
    accessToken: new Secret('access_token', 't'),
    expiresIn: seconds(3600),
    expiresAt: epochFromSeconds(1_800_000_000.5),
  });
  const bare = parse(`${jwt({ sub: 'a' })}\n`);
  assert.equal(bare.kind === 'access_token' && bare.accessToken.reveal(), jwt({ sub: 'a' }));
});

test('the name of a user, nothing, or any other text is all that the local issuer needs', () => {
  for (const text of ['bob', 'bob@pool.example\n', '', 'x.y.z', '"bob"', '[1]']) {
    assert.deepEqual(parse(text), { kind: 'plain' }, text);
  }
});

test('what cannot be understood says why, and quotes nothing of it', () => {
  const reasons: readonly (readonly [string | Buffer, string])[] = [
    ['{"refresh_token":"r1"', 'is not JSON'],
    ['{"refresh_token":"r1","refresh_token":"r2"}', 'has a member twice'],
    ['{"refresh_token":"r1","refresh\\u005ftoken":"r2"}', 'has a member twice'],
    ['{"refresh_token":7}', 'has a refresh_token that is no text'],
    ['{"refresh_token":null}', 'has a refresh_token that is no text'],
    ['{"refresh_token":""}', 'has an empty refresh_token'],
    ['{"refresh_token":"r","scopes":["a"]}', 'has a scopes that is no text'],
    ['{"vault_token":"v"}', 'has a vault_token and no vault_url'],
    ['{"access_token":"t","expires_in":"soon"}', 'has an expires_in that is no number of seconds'],
    ['{"access_token":"t","expires_at":-1}', 'has an expires_at that is no number of seconds'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 'is not UTF-8'],
    [Buffer.alloc(64 * 1024 + 1, ' '), 'is larger than 64 KiB'],
  ];
  for (const [text, reason] of reasons) assert.equal(reasonOf(text), reason);
});

test('ROT: a successor replaces the credential and nothing else, however the file is written', () => {
  const text =
    '{ "z": 1.50e3,\n\t"refresh_token" : "old\\"\\\\", "scopes":"a  b","deep":{"refresh_token":["x"]}, "n":null }\n';
  const successor = new Secret('refresh_token', 'new"\\$&');
  assert.equal(
    withSuccessor(text, successor),
    text.replace('"old\\"\\\\"', () => JSON.stringify(successor.reveal())),
  );
  const bare = `${jwt({ token_type: 'mytoken', iss: 'https://m' })}\n`;
  assert.equal(withSuccessor(bare, new Secret('mytoken', 'm$&2')), 'm$&2\n');
  assert.throws(() => withSuccessor('{"mytoken":"m"}', successor), TypeError);
});

test('any JSON object that holds a refresh token takes a successor and gives the rest back', () => {
  const others = fc.dictionary(
    fc.string().filter((name) => name !== 'refresh_token' && name !== '__proto__'),
    fc.jsonValue(),
  );
  const spaces = fc.constantFrom(undefined, 2, '\t');
  fc.assert(
    fc.property(others, fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), spaces, (rest, old, next, space) => {
      const before = JSON.stringify({ ...rest, refresh_token: old, last: 1 }, null, space);
      const after = withSuccessor(before, new Secret('refresh_token', next));
      assert.equal(after, JSON.stringify({ ...rest, refresh_token: next, last: 1 }, null, space));
    }),
  );
});

test('any bytes at all are judged without a throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void parseTop(bytes)));
  fc.assert(fc.property(fc.json(), (text) => void parse(text)));
});

test('a .meta file is read and written as the shipped web login does', () => {
  const text = '{"client_id":"c","client_secret":"s","token_url":"https://i/token","use_refresh_token":true}';
  const meta = parseMetaFile(Buffer.from(text));
  assert.equal(meta.kind, 'meta');
  assert.equal(meta.clientSecret?.reveal(), 's');
  assert.equal(formatMetaFile(meta), text);
  const off = parseMetaFile(Buffer.from('{"client_id":"c","token_url":"u","use_refresh_token":false}'));
  assert.equal(off.kind === 'meta' && off.useRefreshToken, false);
  for (const wrong of [
    '{}',
    '[',
    '{"client_id":1,"token_url":"u"}',
    '{"client_id":"c","token_url":"u","use_refresh_token":1}',
  ]) {
    assert.equal(parseMetaFile(Buffer.from(wrong)).kind, 'unreadable');
  }
});
