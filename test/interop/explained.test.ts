import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { issuer, jwksOf, noonSeconds, signText, type TestKey } from '../verify/signing.ts';
import { authorization, ec, everyoneOfWlcg, type MatrixRow, rsa, server, validation } from '../verify/xrootd-matrix.ts';
import { knownReleases, likeRelease } from './known-releases.ts';
import { scitokensCfg } from './scitokens-cfg.ts';
import { startXrootd } from './start-xrootd.ts';
import { startStaticSite } from './static-site.ts';
import { curl, type HttpRequest } from './storage-clients.ts';
import { surroundings } from './surroundings.ts';

const told = surroundings();

/** An issuer with the keys of the matrix; no issuer of ours signs most of its tokens. */
const published = await mkdtemp(join(told.directory, 'matrix-'));
const site = await startStaticSite(published, told);
await mkdir(join(published, '.well-known'));
await writeFile(join(published, 'keys'), jwksOf(ec, rsa));
await writeFile(
  join(published, '.well-known/openid-configuration'),
  JSON.stringify({ issuer: site.url, jwks_uri: `${site.url}/keys` }),
);

const rows = [...validation, ...authorization].filter(
  ({ token }) => token === undefined || signer(token) !== undefined,
);
const changes = ['modify', 'delete', 'rename'];
const victim = (row: MatrixRow) => `/data/victim-${rows.indexOf(row)}`;
const storage = await startXrootd(
  {
    scitokens: (audience) =>
      scitokensCfg({ audience: `${audience}, ${everyoneOfWlcg}`, issuer: site.url, basePath: '/', onmissing: 'deny' }),
    files: {
      ...{ '/data/hello.txt': 'hello\n', '/foobar/file': 'foobar\n', '/new/kept': 'kept\n' },
      ...Object.fromEntries(rows.filter(({ deed }) => changes.includes(deed)).map((row) => [victim(row), 'old\n'])),
    },
  },
  told,
);
after(async () => {
  await storage[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** Who signed it, of those whose keys are published. What nobody signed needs no XRootD to be refused. */
function signer(token: string): TestKey | undefined {
  const [head, claims, signature = ''] = token.split('.');
  const holds = ({ publicKey }: TestKey) =>
    verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
  return [ec, rsa].find(holds);
}

/** The same token for this place and this moment: the matrix has names and a noon of its own. */
function here(token: string): string {
  const [head = '', body = ''] = token.split('.');
  const text = Buffer.from(body, 'base64url').toString();
  const claims = JSON.parse(text.replaceAll(server, storage.url).replaceAll(issuer, site.url)) as Record<
    string,
    unknown
  >;
  const later = Math.floor(Date.now() / 1000) - noonSeconds;
  for (const time of ['iat', 'nbf', 'exp']) if (typeof claims[time] === 'number') claims[time] += later;
  const signed = `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return signText(signer(token) ?? ec, signed);
}

function asRequest({ deed, path }: MatrixRow): HttpRequest {
  switch (deed) {
    case 'read':
      return { method: 'GET' };
    case 'stat':
      return { method: 'HEAD' };
    case 'list':
      return { method: 'PROPFIND', headers: ['Depth: 0'] };
    case 'create':
    case 'modify':
      return { method: 'PUT', file: import.meta.filename };
    case 'delete':
      return { method: 'DELETE' };
    case 'mkdir':
      return { method: 'MKCOL' };
    case 'rename':
      return { method: 'MOVE', headers: [`Destination: ${storage.url}${path}-moved`] };
    default:
      throw new Error(`no request for ${deed}`);
  }
}

async function isLetIn(row: MatrixRow): Promise<boolean> {
  const url = storage.url + (changes.includes(row.deed) ? victim(row) : row.path);
  const request = asRequest(row);
  const token = row.token === undefined ? undefined : here(row.token);
  const status = await curl(...presented(url, request, token, row), told);
  assert.ok([200, 201, 204, 207, 403, 404].includes(status), `${row.name}: ${status}`);
  if (row.deed === 'create' || row.deed === 'mkdir')
    for (const made of ['data/new', 'data/dir', 'new/a'])
      await rm(join(storage.directory, made), { recursive: true, force: true });
  return status !== 403;
}

function presented(
  url: string,
  request: HttpRequest,
  token: string | undefined,
  { presentation }: MatrixRow,
): readonly [string, HttpRequest] {
  if (token === undefined) return [url, request];
  switch (presentation) {
    case 'authz':
      return [`${url}?authz=Bearer%20${token}`, request];
    case 'access_token':
      return [`${url}?access_token=${token}`, request];
    case 'lower-case-scheme':
      return [url, { ...request, headers: [...(request.headers ?? []), `Authorization: bearer ${token}`] }];
    default:
      return [url, { ...request, token }];
  }
}

const release = likeRelease(told.xrootd);
const column = knownReleases.indexOf(release);

test(`XRootD ${told.xrootd} decides on ${rows.length} requests as tokeep explain says of ${release}`, async () => {
  const answers: [string, boolean][] = [];
  for (const row of rows) answers.push([row.name, await isLetIn(row)]);
  assert.deepEqual(
    Object.fromEntries(answers),
    Object.fromEntries(rows.map(({ name, measured }) => [name, measured[column]])),
  );
});
