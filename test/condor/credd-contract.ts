// The contract between HTCondor and a credmon, as an access point sees it. It runs against a fake condor_credd with our credmon, and
// against a real HTCondor: what is said here has to hold for both.
import assert from 'node:assert/strict';
import type { Asked } from '../peers/fake-credd.ts';

/** What people and jobs do at an access point. Each test has users of its own. */
export interface AccessPoint {
  readonly version: '23.9.6' | 'main';
  /** A user whom nobody has used yet. */
  newUser(): string;
  /** A provider of the local issuer. */
  readonly local: string;
  /** A provider of OAuth 2.0, with a configured client. */
  readonly oauth2: string;
  /** A refresh token of that client that nobody has spent yet. */
  newRefreshToken(): string;
  /** condor_store_cred add-oauth: 0 fine, 1 failed, 2 does not fit what is there. */
  add(user: string, asked: Asked, credential: string): Promise<0 | 1 | 2>;
  /** condor_store_cred query-oauth. */
  query(user: string, asked: Asked): Promise<0 | 1 | 2>;
  /** condor_store_cred delete-oauth. */
  remove(user: string, asked: Asked): Promise<void>;
  /** What a submit is told that needs these: nothing, a URL to visit, or what is wrong. */
  submit(user: string, asked: readonly Asked[]): Promise<string>;
  /** What a job of this user finds, once `isWanted`; undefined is that there is none. Rejects after ten seconds. */
  use(user: string, name: string, isWanted: (content: string | undefined) => boolean): Promise<string | undefined>;
  /** What is needed to get tokens, as it stands now. */
  top(user: string, name: string): Promise<string | undefined>;
  /** The user's last job is long gone: his directory is marked, and swept. */
  sweep(user: string): Promise<void>;
}

export interface ContractClause {
  readonly name: string;
  holds(point: AccessPoint): Promise<void>;
}

const isThere = (content: string | undefined): boolean => content !== undefined;
const isGone = (content: string | undefined): boolean => content === undefined;

interface Use {
  readonly access_token: string;
  readonly expires_in: number;
}
const parsed = (content: string | undefined): Use => JSON.parse(content ?? '') as Use;

/** `sub` and the like, unverified. */
function claimsOf({ access_token }: Use): Readonly<Record<string, unknown>> {
  const payload = access_token.split('.')[1] ?? '';
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
}

const refreshable = (refreshToken: string): string => JSON.stringify({ refresh_token: refreshToken });

export const creddContract: readonly ContractClause[] = [
  {
    name: 'a token of the local issuer is there when the submit that needs it returns',
    async holds(point) {
      const user = point.newUser();
      assert.equal(await point.submit(user, [{ service: point.local }]), '');
      const use = parsed(await point.use(user, point.local, isThere));
      assert.equal(claimsOf(use)['sub'], user);
      assert.ok(use.expires_in > 0);
      assert.equal(await point.submit(user, [{ service: point.local }]), '');
    },
  },
  {
    name: 'who has no credential is sent to a link, and each submit has a link of its own',
    async holds(point) {
      const user = point.newUser();
      const asked = [{ service: point.oauth2, handle: 'rd', scopes: 'a b' }, { service: point.oauth2 }];
      const links = [await point.submit(user, asked), await point.submit(user, asked)];
      for (const link of links) assert.match(link, /^https:\/\/[^/]+\/key\/[0-9a-f]{64}$/);
      assert.notEqual(links[0], links[1]);
    },
  },
  {
    name: 'a refresh token that was stored becomes a token, and its successor keeps scopes and audience to the byte',
    async holds(point) {
      const user = point.newUser();
      const asked = { service: point.oauth2, scopes: 'compute.read,  compute.create' };
      const first = point.newRefreshToken();
      assert.equal(await point.add(user, asked, refreshable(first)), 0);
      const use = parsed(await point.use(user, point.oauth2, isThere));
      assert.ok(use.access_token.length > 10);
      const top = JSON.parse((await point.top(user, point.oauth2)) ?? '') as Record<string, unknown>;
      assert.equal(top['scopes'], asked.scopes);
      assert.notEqual(top['refresh_token'], first);
      assert.equal(await point.submit(user, [asked]), '');
      assert.equal(await point.query(user, asked), 0);
    },
  },
  {
    name: 'a submit that asks for other scopes or another audience is told how to remove what is there',
    async holds(point) {
      const user = point.newUser();
      const asked = { service: point.oauth2, scopes: 'compute.read' };
      await point.add(user, asked, refreshable(point.newRefreshToken()));
      await point.use(user, point.oauth2, isThere);
      for (const other of [{ scopes: 'compute.create' }, { scopes: '' }, { audience: 'https://a.example' }]) {
        const told = await point.submit(user, [{ ...asked, ...other }]);
        assert.match(told, /do not match the request\n.*\n +condor_store_cred delete-oauth -s /);
      }
      assert.equal(await point.query(user, { ...asked, scopes: 'compute.create' }), 2);
    },
  },
  {
    name: 'two handles of a service have a token each, and removing one leaves the other',
    async holds(point) {
      const user = point.newUser();
      for (const handle of ['rd', 'wr']) {
        const asked = { service: point.oauth2, handle };
        assert.equal(await point.add(user, asked, refreshable(point.newRefreshToken())), 0);
        await point.use(user, `${point.oauth2}_${handle}`, isThere);
      }
      await point.remove(user, { service: point.oauth2, handle: 'rd' });
      await point.use(user, `${point.oauth2}_rd`, isGone);
      assert.ok(parsed(await point.use(user, `${point.oauth2}_wr`, isThere)).access_token);
    },
  },
  {
    name: 'what was removed does not come back',
    async holds(point) {
      const [user, other] = [point.newUser(), point.newUser()];
      await point.submit(user, [{ service: point.local }]);
      await point.use(user, point.local, isThere);
      await point.remove(user, { service: point.local });
      // The credmon has been at work since.
      await point.submit(other, [{ service: point.local }]);
      await point.use(other, point.local, isThere);
      await point.use(user, point.local, isGone);
    },
  },
  {
    name: 'a credential that cannot be understood, or that the issuer refuses, delays nobody else, and a new login mends it',
    async holds(point) {
      const [broken, refused, healthy] = [point.newUser(), point.newUser(), point.newUser()];
      const asked = { service: point.oauth2 };
      await point.add(broken, asked, '{"refresh_token": 7}');
      await point.add(refused, asked, refreshable('nobody-ever-issued-this'));
      await point.add(healthy, asked, refreshable(point.newRefreshToken()));
      await point.use(healthy, point.oauth2, isThere);
      for (const user of [broken, refused]) {
        await point.use(user, point.oauth2, isGone);
        await point.add(user, asked, refreshable(point.newRefreshToken()));
        await point.use(user, point.oauth2, isThere);
      }
    },
  },
  {
    name: 'a user who was swept is not brought back, and starts anew with the next submit',
    async holds(point) {
      const [user, other] = [point.newUser(), point.newUser()];
      await point.submit(user, [{ service: point.local }]);
      const first = await point.use(user, point.local, isThere);
      await point.sweep(user);
      await point.use(user, point.local, isGone);
      await point.submit(other, [{ service: point.local }]);
      await point.use(other, point.local, isThere);
      await point.use(user, point.local, isGone);
      await point.submit(user, [{ service: point.local }]);
      assert.notEqual(await point.use(user, point.local, isThere), first);
    },
  },
];
