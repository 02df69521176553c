import { createHmac, type KeyObject, sign } from 'node:crypto';
import type { Presentation } from '../../src/verify/quirks-presentation.ts';
import type { StorageDeed } from '../../src/verify/quirks-xrootd.ts';
import { encoded, issuer, makeKey, noonSeconds, signText, type TestKey } from './signing.ts';

/** The server of the matrix, and the name it also goes by. */
export const server = 'https://localhost:1094';
export const everyoneOfWlcg = 'https://wlcg.cern.ch/jwt/v1/any';

export const ec = makeKey('ec1');
export const rsa = makeKey('rsa1', 'RS256');
const other = makeKey('ec1');

type Claims = Readonly<Record<string, unknown>>;

export interface MatrixRow {
  readonly name: string;
  /** Whether the rules let it in; `either` where they leave it to the service. */
  readonly should: boolean | 'either';
  /** XRootD 5.5.3 with libscitokens 0.7.3, 5.8.1 with 1.1.3, and 6.2.0 with 1.4.1, as they answered: let in or not. */
  readonly measured: readonly [boolean, boolean, boolean];
  readonly token: string | undefined;
  readonly deed: StorageDeed;
  readonly path: string;
  readonly presentation: Presentation;
}

type Outcome = 'in' | 'no' | 'either';
type Request = Partial<Pick<MatrixRow, 'deed' | 'path' | 'presentation'>>;

/** `in no in`: the three releases; one word where all of them agree. */
function row(
  name: string,
  should: Outcome,
  measured: string,
  token: string | undefined,
  request: Request = {},
): MatrixRow {
  const words = measured.split(' ').map((word) => word === 'in');
  const [first = false, second = first, third = second] = words;
  return {
    name,
    should: should === 'either' ? should : should === 'in',
    measured: [first, second, third],
    token,
    deed: 'read',
    path: '/data/hello.txt',
    presentation: 'header',
    ...request,
  };
}

const now = noonSeconds;

const wlcg: Claims = {
  iss: issuer,
  sub: 'robot',
  aud: server,
  iat: now - 1,
  nbf: now - 60,
  exp: now + 600,
  jti: 'j1',
  scope: 'storage.read:/',
  'wlcg.ver': '1.0',
};

function signed(claims: Claims = {}, header: Claims = {}, key: TestKey = ec): string {
  const head = JSON.stringify({ alg: key.alg, typ: 'JWT', kid: key.kid, ...header });
  return signText(key, `${encoded(head)}.${encoded(JSON.stringify({ ...wlcg, ...claims }))}`);
}

/** Of SciTokens: without wlcg.ver. */
const sci = (claims: Claims, header: Claims = {}): string =>
  signed({ 'wlcg.ver': undefined, scope: 'read:/data', ...claims }, header);

const scoped = (scope: string): string => signed({ scope });

function tampered(): string {
  const [head = '', , signature = ''] = signed().split('.');
  return `${head}.${encoded(JSON.stringify({ ...wlcg, sub: 'root' }))}.${signature}`;
}

function unsigned(): string {
  return `${encoded('{"alg":"none","typ":"JWT","kid":"ec1"}')}.${encoded(JSON.stringify(wlcg))}.`;
}

function hmacByPublicKey(publicKey: KeyObject): string {
  const text = `${encoded('{"alg":"HS256","typ":"JWT","kid":"ec1"}')}.${encoded(JSON.stringify(wlcg))}`;
  const secret = publicKey.export({ type: 'spki', format: 'pem' });
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

function rsaHeaderOnEcKey(): string {
  const text = `${encoded('{"alg":"RS256","typ":"JWT","kid":"ec1"}')}.${encoded(JSON.stringify(wlcg))}`;
  return `${text}.${sign('sha256', Buffer.from(text), ec.privateKey).toString('base64url')}`;
}

export const validation: readonly MatrixRow[] = [
  row('ES256 ok', 'in', 'in', signed()),
  row('RS256 ok', 'in', 'in', signed({}, {}, rsa)),
  row('no kid, two keys in JWKS', 'no', 'no', signed({}, { kid: undefined })),
  row('unknown kid', 'no', 'no', signed({}, { kid: 'nobody' })),
  row('kid of other key (ec2 signs as ec1)', 'no', 'no', signed({}, {}, other)),
  row('alg none', 'no', 'no', unsigned()),
  row('HS256 with public key as secret', 'no', 'no', hmacByPublicKey(ec.publicKey)),
  row('alg header RS256 but EC key', 'no', 'no', rsaHeaderOnEcKey()),
  row('signature tampered', 'no', 'no', tampered()),
  row('expired 1s ago', 'no', 'no', signed({ exp: now - 1 })),
  row('exp missing', 'no', 'no', signed({ exp: undefined })),
  row('exp as float', 'in', 'no no in', signed({ exp: now + 600.5 })),
  row('exp as string', 'no', 'no', signed({ exp: String(now + 600) })),
  row('iat missing', 'no', 'no', signed({ iat: undefined })),
  row('nbf missing (wlcg)', 'in', 'no in in', signed({ nbf: undefined })),
  row('nbf +5s (skew)', 'no', 'no', signed({ nbf: now + 5 })),
  row('nbf +300s', 'no', 'no', signed({ nbf: now + 300 })),
  row('iat +5s (skew)', 'no', 'no', signed({ iat: now + 5 })),
  row('iat +300s', 'no', 'no', signed({ iat: now + 300 })),
  row('exp in 1 year', 'in', 'in', signed({ exp: now + 31_536_000 })),
  row('iss unknown', 'no', 'no', signed({ iss: 'https://other.example' })),
  row('iss trailing slash', 'no', 'no', signed({ iss: `${issuer}/` })),
  row('iss missing', 'no', 'no', signed({ iss: undefined })),
  row('iss upper-case host', 'no', 'no', signed({ iss: 'https://ISSUER.example' })),
  row('sub missing', 'no', 'no', signed({ sub: undefined })),
  row('jti missing', 'in', 'in', signed({ jti: undefined })),
  row('aud missing (server has list)', 'no', 'no', signed({ aud: undefined })),
  row('aud wrong', 'no', 'no', signed({ aud: 'https://elsewhere.example' })),
  row('aud list with right', 'in', 'in', signed({ aud: ['https://elsewhere.example', server] })),
  row('aud list wrong', 'no', 'no', signed({ aud: ['https://elsewhere.example', 'x'] })),
  row('aud empty list', 'no', 'no', signed({ aud: [] })),
  row('aud wlcg any', 'in', 'in', signed({ aud: everyoneOfWlcg })),
  row('aud ANY with wlcg profile', 'no', 'no', signed({ aud: 'ANY' })),
  row('aud right + trailing slash', 'no', 'no', signed({ aud: `${server}/` })),
  row('aud substring', 'no', 'no', signed({ aud: server.slice(0, -1) })),
  // The profile wants newer minor versions accepted (WLCG profile 1.3, wlcg.ver); no release of libscitokens does.
  row('wlcg.ver 1.1', 'in', 'no', signed({ 'wlcg.ver': '1.1' })),
  row('wlcg.ver 1.2', 'in', 'no', signed({ 'wlcg.ver': '1.2' })),
  row('wlcg.ver number 1.0', 'no', 'no', signed({ 'wlcg.ver': 1 })),
  row('ver scitokens:2.0 read:/data', 'in', 'in', sci({ ver: 'scitokens:2.0' })),
  row('ver scitoken:2.0 read:/data', 'in', 'in', sci({ ver: 'scitoken:2.0' })),
  row('scitokens:2.0 aud ANY', 'in', 'in', sci({ ver: 'scitokens:2.0', aud: 'ANY' })),
  row('scitokens:2.0 no nbf', 'either', 'no in in', sci({ ver: 'scitokens:2.0', nbf: undefined })),
  row('scitokens:2.0 aud wlcg any (server lists it)', 'in', 'in', sci({ ver: 'scitokens:2.0', aud: everyoneOfWlcg })),
  row('ver scitokens:1.0 no extra claim', 'in', 'in', sci({ ver: 'scitokens:1.0' })),
  row('no ver at all, read:/data', 'in', 'in', sci({})),
  row('no ver, unknown claim foo', 'no', 'no', sci({ foo: 'bar' })),
  row('scitokens:2.0 unknown claim foo', 'in', 'in', sci({ ver: 'scitokens:2.0', foo: 'bar' })),
  row('ver scitokens:3.0', 'no', 'no', sci({ ver: 'scitokens:3.0' })),
  row('ver and wlcg.ver both', 'either', 'in', sci({ ver: 'scitokens:2.0', 'wlcg.ver': '1.0' })),
  row('no ver, storage.read scope', 'no', 'no', sci({ scope: 'storage.read:/' })),
  row('scitokens:2.0 with storage.read scope', 'no', 'no', sci({ ver: 'scitokens:2.0', scope: 'storage.read:/' })),
  row('wlcg with read:/data scope', 'either', 'in', scoped('read:/data')),
  row('typ at+jwt, no ver, storage.read', 'either', 'no', sci({ scope: 'storage.read:/' }, { typ: 'at+jwt' })),
  row('typ at+jwt + wlcg.ver', 'in', 'in', signed({}, { typ: 'at+jwt' })),
  row('typ absent + wlcg.ver', 'in', 'in', signed({}, { typ: undefined })),
  row('typ "ID" + wlcg.ver', 'either', 'in', signed({}, { typ: 'ID' })),
  row('header crit unknown', 'no', 'in', signed({}, { crit: ['nobody'], nobody: true })),
  row('scope as array', 'no', 'no', signed({ scope: ['storage.read:/'] })),
  row('scope missing', 'no', 'no', signed({ scope: undefined })),
  row('scope empty string', 'no', 'no', scoped('')),
  row('garbage token', 'no', 'no', 'garbage'),
  row('two dots garbage', 'no', 'no', 'gar.ba.ge'),
  row('no token', 'no', 'no', undefined),
  row('lower-case bearer scheme', 'either', 'no', signed(), { presentation: 'lower-case-scheme' }),
  row('token in ?authz=Bearer%20..', 'in', 'in', signed(), { presentation: 'authz' }),
  row('token in ?access_token=', 'either', 'no', signed(), { presentation: 'access_token' }),
];

const create = (path: string): Request => ({ deed: 'create', path });
const at = (deed: StorageDeed, path: string): Request => ({ deed, path });

export const authorization: readonly MatrixRow[] = [
  row('storage.read:/ -> /data/hello.txt', 'in', 'in', scoped('storage.read:/')),
  row('storage.read (no path)', 'no', 'in', scoped('storage.read')),
  row('storage.read: (empty path)', 'no', 'in', scoped('storage.read:')),
  row('storage.read:data (relative)', 'no', 'in', scoped('storage.read:data')),
  row('storage.read:/data/', 'in', 'in', scoped('storage.read:/data/')),
  // Not normalised: the profile lets services refuse or normalise it.
  row('storage.read://data', 'either', 'in', scoped('storage.read://data')),
  row('storage.read:/dat (partial component)', 'no', 'in no no', scoped('storage.read:/dat')),
  row('storage.read:/foo on /foobar/file', 'no', 'in no no', scoped('storage.read:/foo'), at('read', '/foobar/file')),
  row('storage.read:/foobar on /foobar/file', 'in', 'in', scoped('storage.read:/foobar'), at('read', '/foobar/file')),
  row('storage.read:/foo/../data', 'no', 'in in no', scoped('storage.read:/foo/../data')),
  row('storage.read:/%64ata', 'either', 'no no in', scoped('storage.read:/%64ata')),
  row('storage.read:/foo/%2e%2e/data', 'no', 'no', scoped('storage.read:/foo/%2e%2e/data')),
  row(
    'scope /foo, request /foo/../data/hello.txt',
    'no',
    'no',
    scoped('storage.read:/foo'),
    at('read', '/foo/../data/hello.txt'),
  ),
  row('storage.read:/data/hello.txt exact file', 'in', 'in', scoped('storage.read:/data/hello.txt')),
  row('storage.read:/data/hello.tx', 'no', 'in no no', scoped('storage.read:/data/hello.tx')),
  row('two scopes, second matches', 'in', 'in', scoped('storage.read:/foo storage.read:/data')),
  row('double space between scopes', 'in', 'in', scoped('storage.read:/foo  storage.read:/data')),
  row('trailing space in scope', 'in', 'in', scoped('storage.read:/data ')),
  row('404 in allowed area', 'in', 'in', scoped('storage.read:/'), at('read', '/data/none')),
  row('openid only, GET', 'no', 'no', scoped('openid')),
  row('openid only, PUT', 'no', 'no', scoped('openid'), create('/data/new')),
  row('HEAD storage.read', 'in', 'in', scoped('storage.read:/'), { deed: 'stat' }),
  row('PROPFIND storage.read', 'in', 'in', scoped('storage.read:/'), at('list', '/data')),
  row('PROPFIND with storage.modify only', 'either', 'no', scoped('storage.modify:/'), at('list', '/data')),
  row('PUT storage.modify:/', 'in', 'in', scoped('storage.modify:/'), create('/data/new')),
  row('PUT storage.read only', 'no', 'no', scoped('storage.read:/'), create('/data/new')),
  row('modify does not imply read', 'no', 'no', scoped('storage.modify:/')),
  row('create does not imply read', 'no', 'no', scoped('storage.create:/')),
  row('create: no overwrite', 'no', 'no', scoped('storage.create:/'), { deed: 'modify' }),
  row('create: no delete', 'no', 'no', scoped('storage.create:/'), { deed: 'delete' }),
  row('create: new file', 'in', 'in', scoped('storage.create:/'), create('/data/new')),
  row('modify: overwrite', 'in', 'in', scoped('storage.modify:/'), { deed: 'modify' }),
  row('modify: delete', 'in', 'no in in', scoped('storage.modify:/'), { deed: 'delete' }),
  row('MKCOL storage.modify', 'in', 'in', scoped('storage.modify:/'), at('mkdir', '/data/dir')),
  row('MKCOL storage.create under own dir', 'in', 'in', scoped('storage.create:/data'), at('mkdir', '/data/dir')),
  row(
    'MKCOL storage.create partial path',
    'no',
    'in no no',
    scoped('storage.create:/data/di'),
    at('mkdir', '/data/dir'),
  ),
  row(
    'MKCOL of a parent of the scope path',
    'in',
    'no in in',
    scoped('storage.create:/new/a/b'),
    at('mkdir', '/new/a'),
  ),
  row(
    'HEAD (stat) a parent of the scope path',
    'either',
    'no in in',
    scoped('storage.read:/data/a/b'),
    at('stat', '/data'),
  ),
  row('MOVE with storage.modify', 'in', 'in', scoped('storage.modify:/'), { deed: 'rename' }),
  row(
    'scitokens write:/data PUT',
    'in',
    'in',
    sci({ ver: 'scitokens:2.0', scope: 'write:/data' }),
    create('/data/new'),
  ),
  row('scitokens write:/data GET', 'no', 'no', sci({ ver: 'scitokens:2.0', scope: 'write:/data' })),
  row('groups only, no scope', 'either', 'no', signed({ scope: undefined, 'wlcg.groups': ['/wlcg'] })),
  row('groups + scope', 'in', 'in', signed({ 'wlcg.groups': ['/wlcg'] })),
  row('wlcg.groups as string + scope', 'either', 'in', signed({ 'wlcg.groups': '/wlcg' })),
  row('storage.stage scope GET', 'no', 'no', scoped('storage.stage:/')),
];
