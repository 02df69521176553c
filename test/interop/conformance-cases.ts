import type { TokenWish } from './issuer-here.ts';
import type { KnownRelease } from './known-releases.ts';

/**
 * The cases of the WLCG JWT compliance suite (indigo-iam/wlcg-jwt-compliance-tests, audience, basic authorization and path
 * enforcement), one row for each request it judges: what the token says, what is asked for, and what should come of it.
 */
export interface ConformanceCase {
  readonly title: string;
  readonly token: CaseToken;
  readonly request: CaseRequest;
  /** The statuses the suite takes for right. */
  readonly expected: readonly number[];
  /** What releases of XRootD were seen to answer. */
  readonly answered: Readonly<Record<KnownRelease, number>>;
  /** Why an answer that is not the expected one may be right all the same. */
  readonly remark?: string;
}

/** As {@link TokenWish}; among the audiences, `storage` stands for the storage's own name. */
type CaseToken = Omit<TokenWish, 'audiences'> & Partial<TokenWish>;

interface CaseRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'MKCOL';
  /** Below the storage area. */
  readonly path: string;
}

/** Where the suite works, and what it finds there; all below the storage area. */
const suite = '/wlcg-jwt-compliance/suite';
export const filesInPlace: Readonly<Record<string, string>> = {
  '/protected/kept': 'kept\n',
  [`${suite}/found`]: 'found\n',
  [`${suite}/to-overwrite`]: 'old\n',
  [`${suite}/to-delete`]: 'old\n',
  [`${suite}/not-to-delete`]: 'old\n',
  [`${suite}/foobar/file`]: 'foobar\n',
  [`${suite}/create-dir-1/kept`]: 'kept\n',
  [`${suite}/create-dir-2/kept`]: 'kept\n',
};

/** What to ask of an issuer for a case, where the storage has that name. Without an audience it is for every service. */
export function wishOf({ audiences = [], ...rest }: CaseToken, storage: string): TokenWish {
  return { audiences: audiences.map((name) => (name === 'storage' ? storage : name)), ...rest };
}

const modifyAll = { scope: 'openid storage.read:/ storage.modify:/' };
const readAll = { scope: 'storage.read:/' };
const wlcgGroup = { scope: 'wlcg.groups:/wlcg', groups: ['/wlcg'] };
const defaultGroups = { scope: 'wlcg.groups', groups: ['/wlcg', '/wlcg/xfers'] };
const testGroup = { scope: 'wlcg.groups:/wlcg/test', groups: ['/wlcg/test'] };

const get = (path: string): CaseRequest => ({ method: 'GET', path });
const put = (path: string): CaseRequest => ({ method: 'PUT', path });
const remove = (path: string): CaseRequest => ({ method: 'DELETE', path });
const makeDirectory = (path: string): CaseRequest => ({ method: 'MKCOL', path });

const refused = [403];
const notThere = [404];
const written = [200, 201];
const deleted = [200, 204];
const rejected = [401, 403, 404];

/** One status for all releases, or one each for 5.5.3, 5.8.1 and 6.2.0. */
function by(first: number, second = first, third = second): Readonly<Record<KnownRelease, number>> {
  return { '5.5.3': first, '5.8.1': second, '6.2.0': third };
}

const never401 = 'XRootD answers every refusal with 403';
const namedAnyway =
  'profile 1.3 lets a path without a slash at its end name a directory with all that is in it; the suite itself marks the case as to be decided';

const ofOne = { audiences: ['https://of-nobody.example'], scope: 'openid storage.read:/' };
const ofOthers = {
  audiences: ['https://fake.audience:8443', 'https://of-nobody.example'],
  scope: 'openid storage.read:/',
};

export const conformanceCases: readonly ConformanceCase[] = [
  {
    title: 'Token with random audience is rejected (permissive)',
    ...{ token: ofOne, request: get(`${suite}/audience-1`), expected: rejected, answered: by(403) },
  },
  {
    title: 'Token with random audience is rejected (strict)',
    ...{ token: ofOne, request: get(`${suite}/audience-2`), expected: [401], answered: by(403), remark: never401 },
  },
  {
    title: 'Token with correct audience is accepted',
    token: { audiences: ['storage'], scope: 'openid storage.read:/' },
    ...{ request: get(`${suite}/audience-3`), expected: notThere, answered: by(404) },
  },
  {
    title: 'Token with correct audience in multiple option is accepted',
    token: { audiences: ['storage', 'https://of-nobody.example'], scope: 'openid storage.read:/' },
    ...{ request: get(`${suite}/audience-4`), expected: notThere, answered: by(404) },
  },
  {
    title: 'Token with invalid multiple audiences is rejected (permissive)',
    ...{ token: ofOthers, request: get(`${suite}/audience-5`), expected: rejected, answered: by(403) },
  },
  {
    title: 'Token with invalid multiple audiences is rejected (strict)',
    ...{ token: ofOthers, request: get(`${suite}/audience-6`), expected: [401], answered: by(403), remark: never401 },
  },
  {
    title: 'Read access denied to minimum privileged token',
    token: { scope: 'openid' },
    ...{ request: get(`${suite}/basic-1`), expected: refused, answered: by(403) },
  },
  {
    title: 'Write access denied to minimum privileged token',
    token: { scope: 'openid' },
    ...{ request: put(`${suite}/basic-2`), expected: refused, answered: by(403) },
  },
  {
    title: 'Read access granted to wlcg.groups',
    ...{ token: wlcgGroup, request: get(`${suite}/basic-3`), expected: notThere, answered: by(404) },
  },
  {
    title: 'Write access granted to wlcg.groups',
    ...{ token: wlcgGroup, request: put(`${suite}/basic-4`), expected: written, answered: by(200, 201) },
  },
  {
    title: 'Write access granted to storage.modify:/ scope',
    ...{ token: modifyAll, request: put(`${suite}/basic-5`), expected: written, answered: by(200, 201) },
  },
  {
    title: 'Delete access granted to storage.modify:/ scope',
    ...{ token: modifyAll, request: remove(`${suite}/to-delete`), expected: deleted, answered: by(200) },
  },
  {
    title: 'Create dir granted to storage.modify:/ scope',
    ...{ token: modifyAll, request: makeDirectory(`${suite}/basic-6`), expected: written, answered: by(201) },
  },
  {
    title: 'Read access granted with storage.read:/',
    ...{ token: readAll, request: get(`${suite}/basic-7`), expected: notThere, answered: by(404) },
  },
  {
    title: 'Write access denied with storage.read:/',
    ...{ token: readAll, request: put(`${suite}/basic-8`), expected: refused, answered: by(403) },
  },
  {
    title: 'storage.modify does not imply storage.read',
    token: { scope: 'storage.modify:/' },
    ...{ request: get(`${suite}/found`), expected: refused, answered: by(403) },
  },
  {
    title: 'storage.create does not imply storage.read',
    token: { scope: 'storage.create:/' },
    ...{ request: get(`${suite}/found`), expected: refused, answered: by(403) },
  },
  {
    title: 'storage.create does not allow overwriting files',
    token: { scope: 'storage.create:/' },
    ...{ request: put(`${suite}/to-overwrite`), expected: refused, answered: by(403) },
  },
  {
    title: 'storage.create does not allow deleting files',
    token: { scope: 'storage.create:/' },
    ...{ request: remove(`${suite}/not-to-delete`), expected: refused, answered: by(403) },
  },
  {
    title: 'Default groups do not grant write access to /protected area (reading)',
    ...{ token: defaultGroups, request: get('/protected/new-1'), expected: notThere, answered: by(404) },
  },
  {
    title: 'Default groups do not grant write access to /protected area (writing)',
    ...{ token: defaultGroups, request: put('/protected/new-1'), expected: refused, answered: by(403) },
  },
  {
    title: 'Wlcg/test group grants full access to /protected area (reading)',
    ...{ token: testGroup, request: get('/protected/new-2'), expected: notThere, answered: by(404) },
  },
  {
    title: 'Wlcg/test group grants full access to /protected area (writing)',
    ...{ token: testGroup, request: put('/protected/new-2'), expected: written, answered: by(200, 201) },
  },
  {
    title: 'Wlcg/test group grants full access to /protected area (deleting)',
    ...{ token: testGroup, request: remove('/protected/kept'), expected: deleted, answered: by(200) },
  },
  {
    title: 'Path authorization enforced on storage.read (outside)',
    token: { scope: 'storage.read:/wlcg-jwt-compliance' },
    ...{ request: get('/not-found'), expected: refused, answered: by(403) },
  },
  {
    title: 'Path authorization enforced on storage.read (inside)',
    token: { scope: 'storage.read:/wlcg-jwt-compliance' },
    ...{ request: get(`${suite}/not-found`), expected: notThere, answered: by(404) },
  },
  {
    title: 'Path authorization enforced on storage.modify (outside)',
    token: { scope: 'storage.modify:/wlcg-jwt-compliance' },
    ...{ request: put('/path-1'), expected: refused, answered: by(403) },
  },
  {
    title: 'Path authorization enforced on storage.modify (inside)',
    token: { scope: 'storage.modify:/wlcg-jwt-compliance' },
    ...{ request: put(`${suite}/path-1`), expected: written, answered: by(200, 201) },
  },
  {
    title: 'storage.read:/foobar allows to read into the /foobar directory',
    token: { scope: `storage.read:${suite}/foobar` },
    ...{ request: get(`${suite}/foobar/file`), expected: [200], answered: by(200) },
  },
  {
    title: 'storage.read:/foo does not allow to read into the /foobar directory',
    token: { scope: `storage.read:${suite}/foo` },
    ...{ request: get(`${suite}/foobar/file`), expected: refused, answered: by(200, 403) },
  },
  {
    title: 'Create directory allowed with storage.create scope',
    token: { scope: `storage.create:${suite}/create-dir-1` },
    ...{ request: makeDirectory(`${suite}/create-dir-1/foobar`), expected: written, answered: by(201) },
  },
  {
    title: 'Create directory not allowed with storage.create scope and partial path',
    token: { scope: `storage.create:${suite}/create-dir-` },
    ...{ request: makeDirectory(`${suite}/create-dir-2/foobar`), expected: refused, answered: by(201, 403) },
  },
  {
    title: 'storage.read scope with path not compliant with RFC3986 is rejected (/foobar)',
    token: { scope: 'storage.read:/foobar' },
    ...{ request: get(`${suite}/foobar/file`), expected: refused, answered: by(403) },
  },
  {
    title: 'storage.read scope with path not compliant with RFC3986 is rejected (/foo)',
    token: { scope: 'storage.read:/foo' },
    ...{ request: get(`${suite}/foobar/file`), expected: refused, answered: by(403) },
  },
  {
    title: 'Trailing slash allows to read into a directory (/foobar/)',
    token: { scope: `storage.read:${suite}/foobar/` },
    ...{ request: get(`${suite}/foobar/file`), expected: [200], answered: by(200) },
  },
  {
    title: 'Trailing slash allows to read into a directory (/foo/ does not)',
    token: { scope: `storage.read:${suite}/foo/` },
    ...{ request: get(`${suite}/foobar/file`), expected: refused, answered: by(200, 403) },
  },
  {
    title: 'Trailing slash allows to read into a directory (/foobar does not)',
    token: { scope: `storage.read:${suite}/foobar` },
    ...{ request: get(`${suite}/foobar/file`), expected: refused, answered: by(200), remark: namedAnyway },
  },
];
