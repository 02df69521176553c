import type { Account, Config, RefreshTokenAccount, Wish } from '../../src/config/config.ts';
import type { Records, Wanted } from '../../src/observe/conditions.ts';
import type { AccountRecord, DeliveryRecord, IssuerRecord, Trouble, WishRecord } from '../../src/store/records.ts';
import type { AccountName, IssuerUrl, WishName } from '../../src/token/names.ts';
import { after, days, type Epoch, epoch, hours, minutes, seconds } from '../../src/token/time.ts';

export const noon = epoch(Date.UTC(2026, 2, 1, 12));
export const issuer = 'https://issuer.example/';

const at = { file: '/etc/tokeep/config.yaml', line: 3, column: 5 };

export const account = (name: string, more: Partial<RefreshTokenAccount> = {}): RefreshTokenAccount => ({
  name: name as AccountName,
  at,
  issuer: { kind: 'discovered', issuer: issuer as IssuerUrl },
  audienceStyle: 'auto',
  timeout: seconds(30),
  fingerprint: 'a',
  grant: 'refresh_token',
  ...more,
});

export const wish = (name: string, of: string): Wish => ({
  name: name as WishName,
  at,
  account: of as AccountName,
  audience: { audiences: [] },
  scope: { kind: 'absent' },
  freshness: 'due-point',
  targets: [
    {
      kind: 'file',
      id: `file:/run/tokeep/${name}`,
      path: `/run/tokeep/${name}`,
      mode: 0o600,
      existing: 'set',
      inPlace: false,
    },
  ],
  fingerprint: 'w',
});

export const trouble = (code: Trouble['code'], more: Partial<Trouble> = {}): Trouble => ({
  code,
  who: 'wait',
  sentence: `something is wrong: ${code}`,
  since: after(noon, minutes(-5)),
  lastAt: noon,
  attempts: 1,
  nextTry: after(noon, minutes(1)),
  ...more,
});

/** A wish with an hour-long token, half of it left, renewal in five minutes. */
export const wishRecord = (name: string, of: string, more: Partial<WishRecord> = {}): WishRecord => ({
  name: name as WishName,
  account: of as AccountName,
  fingerprint: 'w',
  wished: 'w',
  state: 'kept',
  token: {
    fingerprint: 'f'.repeat(64),
    audience: [],
    scope: [],
    issuedAt: after(noon, minutes(-30)),
    expiresAt: after(noon, minutes(30)),
    lifeFrom: 'exp',
  },
  renewAt: after(noon, minutes(5)),
  dueAt: after(noon, minutes(5)),
  failures: 0,
  trouble: null,
  remark: null,
  fence: 1,
  renewals: 1,
  ...more,
});

export const expiredAt = (at: Epoch): Pick<WishRecord, 'token'> => {
  const { token } = wishRecord('x', 'x');
  return token === null ? { token } : { token: { ...token, expiresAt: at } };
};

export const accountRecord = (name: string, more: Partial<AccountRecord> = {}): AccountRecord => ({
  name: name as AccountName,
  fingerprint: 'a',
  state: 'kept',
  generation: 1,
  login: 'ready',
  credential: { kind: 'refresh_token', fingerprint: 'c'.repeat(64), obtainedAt: after(noon, days(-1)) },
  expiry: { kind: 'unknown' },
  intent: null,
  trouble: null,
  writeBack: null,
  learnt: {},
  client: null,
  ...more,
});

export const issuerRecord = (more: Partial<IssuerRecord> = {}): IssuerRecord => ({
  issuer,
  circuit: { kind: 'closed' },
  notBefore: null,
  trouble: null,
  skew: null,
  ...more,
});

export const downIssuer = issuerRecord({
  circuit: { kind: 'open', since: after(noon, hours(-2)), probeAt: after(noon, minutes(2)), failures: 4 },
  trouble: trouble('issuer-unreachable', {
    sentence: `no connection to ${issuer}: nothing listens there`,
    since: after(noon, hours(-2)),
  }),
});

export const deliveryRecord = (of: string, more: Partial<DeliveryRecord> = {}): DeliveryRecord => ({
  wish: of as WishName,
  target: `file:/run/tokeep/${of}`,
  node: 'here',
  delivered: 'f'.repeat(64),
  deliveredAt: after(noon, minutes(-30)),
  trouble: null,
  ...more,
});

export const records = (more: Partial<Records> = {}): Records => ({
  wishes: [],
  accounts: [],
  deliveries: [],
  issuers: [],
  ...more,
});

export function wanted(
  accounts: readonly Account[],
  wishes: readonly Wish[],
  findings: Config['findings'] = [],
): Wanted & Pick<Config, 'file'> {
  return {
    file: '/etc/tokeep/config.yaml',
    accounts: new Map(accounts.map((one) => [one.name, one])),
    wishes: new Map(wishes.map((one) => [one.name, one])),
    findings,
  };
}
