import type { LoginFlow } from '../acquire/login.ts';
import { revokeCredential } from '../acquire/revoke.ts';
import type { Account, Config } from '../config/config.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { nearest } from '../fault/nearest.ts';
import { loginHint } from '../observe/next-step.ts';
import { timestamp } from '../observe/printable.ts';
import { next } from '../renew/account-state.ts';
import { troubleOf } from '../renew/outcome.ts';
import type { AccountRecord, Trouble } from '../store/records.ts';
import type { AccountName } from '../token/names.ts';
import { type Epoch, millis } from '../token/time.ts';
import type { Context } from './context.ts';
import { logIn } from './login-dialogue.ts';
import { promptsFor } from './prompts.ts';

interface Line {
  readonly name: string;
  readonly grant: string;
  readonly issuer: string;
  readonly login: string;
  readonly until: string;
}

/** `tokeep account list`. */
export async function listAccounts(context: Context): Promise<ExitCode> {
  const config = await context.config();
  const records = new Map((await (await context.store()).accounts()).map((record) => [record.name, record]));
  const names = [...new Set([...config.accounts.keys(), ...records.keys()])].toSorted();
  const lines = names.map((name) => lineOf(name, config.accounts.get(name), records.get(name)));
  if (context.options.json) {
    await context.printJson(lines);
    return exit.fine;
  }
  const header: Line = { name: 'ACCOUNT', grant: 'GRANT', issuer: 'ISSUER', login: 'LOGIN', until: 'UNTIL' };
  const columns = ['name', 'grant', 'issuer', 'login', 'until'] as const;
  const width = (column: keyof Line) => Math.max(...[header, ...lines].map((line) => line[column].length));
  for (const line of [header, ...lines]) {
    await context.print(
      columns
        .map((column) => line[column].padEnd(width(column)))
        .join('  ')
        .trimEnd(),
    );
  }
  return exit.fine;
}

function lineOf(name: AccountName, account: Account | undefined, record: AccountRecord | undefined): Line {
  return {
    name,
    grant: account?.grant ?? '(not configured)',
    issuer: issuerText(account, record),
    login: loginText(account, record),
    until: untilText(record),
  };
}

/** In the words of status. */
function untilText(record: AccountRecord | undefined): string {
  if (record === undefined || record.credential === null) return '-';
  return record.expiry.kind === 'known' ? new Date(record.expiry.at).toISOString() : 'not known';
}

function issuerText(account: Account | undefined, record: AccountRecord | undefined): string {
  if (account?.issuer.kind === 'discovered') return account.issuer.issuer;
  if (account?.issuer.kind === 'token-endpoint') return account.issuer.url;
  return record?.client?.issuer ?? '-';
}

function loginText(account: Account | undefined, record: AccountRecord | undefined): string {
  if (account !== undefined && hasNoLogin(account)) return 'not needed';
  return record?.login ?? 'none';
}

/** `tokeep account login NAME`. */
export async function logInAgain(context: Context, name: string, flow: LoginFlow | undefined): Promise<ExitCode> {
  const account = configured(await context.config(), name);
  if (account.grant !== 'refresh_token') throw ofGrantWithoutLogin(account);
  await logIn(context, await promptsFor(context.io, 'setup'), account, { flow, scope: undefined, audience: [] });
  return exit.fine;
}

const withoutLogin: readonly Account['grant'][] = ['client_credentials', 'token_exchange', 'signing_key', 'idtoken'];
const hasNoLogin = ({ grant }: Account): boolean => withoutLogin.includes(grant);

const ofGrantWithoutLogin = ({ name, grant }: Account): Fault =>
  new Fault('usage', `account ${name} is of grant ${grant}, which has no login`);

/** `tokeep account revoke NAME`. */
export async function revokeAccount(context: Context, name: string): Promise<ExitCode> {
  const config = await context.config();
  const account = config.accounts.get(name as AccountName);
  if (account !== undefined && hasNoLogin(account)) throw ofGrantWithoutLogin(account);
  const record = await stored(context, config, name);
  if (record.credential === null) {
    await context.say(`there is nothing to revoke: account ${name} has no login`);
    return exit.fine;
  }
  await revoke(context, account, record);
  await context.say(`the refresh token of ${name} is revoked, and deleted here`);
  return exit.fine;
}

/** `tokeep account remove NAME`. What is still configured would come back by itself, so that comes out first. */
export async function removeAccount(
  context: Context,
  name: string,
  wish: { readonly revoke: boolean; readonly forget: boolean },
): Promise<ExitCode> {
  const config = await context.config();
  const record = await stored(context, config, name);
  if (config.accounts.has(record.name)) {
    throw new Fault('usage', `account ${name} is still in ${config.file}`, {
      hint: `take accounts.${name} out of it first; to end its login now: tokeep account revoke ${name}`,
    });
  }
  if (wish.revoke) await revoke(context, undefined, record);
  const store = await context.store();
  await using _lock = await store.lockAccount(record.name, context.signal);
  if (wish.forget) {
    // A successor that a dead process left behind would come back with the next login of that name.
    await (await (await context.spool()).pending(record.name))?.discard();
    await store.forgetAccount(record.name);
  } else await store.saveAccount(next(await stored(context, config, name), { state: 'parked' }));
  await context.say(wish.forget ? `${name} is forgotten` : `${name} is set aside; its login is kept until --forget`);
  return exit.fine;
}

/** Under the account's lock, so that no renewal spends the token at the same time. Throws when the issuer did not do it. */
async function revoke(context: Context, account: Account | undefined, known: AccountRecord): Promise<void> {
  const { world, signal } = context;
  const store = await context.store();
  await using _lock = await store.lockAccount(known.name, signal);
  const record = (await store.account(known.name)) ?? known;
  const secrets = await store.secrets(known.name);
  const asked = account ?? unconfigured(record);
  const outcome = await revokeCredential({ world, account: asked, record, secrets, signal });
  if (outcome.kind === 'not-revoked') throw outcome.fault;
  const { credential: _revoked, ...others } = secrets;
  const trouble = revokedAt(known.name, world.clock.now(), account);
  const gone = { login: 'none', credential: null, expiry: { kind: 'unknown' }, intent: null, trouble } as const;
  await store.saveAccount(next(record, gone), others);
}

/** What status says of it from now on; an account that is no longer configured needs no login. */
function revokedAt(name: AccountName, now: Epoch, account: Account | undefined): Trouble | null {
  if (account === undefined) return null;
  const sentence = `the login of account ${name} was revoked at ${timestamp(now)}, with \`account revoke\``;
  const fault = new Fault('login-needed', sentence, { hint: loginHint(account) });
  return troubleOf(null, fault, now, null);
}

/** An account whose section is gone: what was registered at login is enough to ask its issuer. */
function unconfigured(record: AccountRecord): Account {
  return {
    grant: 'refresh_token',
    name: record.name,
    at: { file: 'state', line: 1, column: 1 },
    issuer: { kind: 'of-credential' },
    audienceStyle: 'auto',
    timeout: millis(30_000),
    fingerprint: record.fingerprint,
  };
}

function configured(config: Config, name: string): Account {
  const account = config.accounts.get(name as AccountName);
  if (account !== undefined) return account;
  throw unknown(name, [...config.accounts.keys()], `there is no account ${name} in ${config.file}`);
}

async function stored(context: Context, config: Config, name: string): Promise<AccountRecord> {
  const store = await context.store();
  const record = await store.account(name as AccountName);
  if (record !== undefined) return record;
  const names = (await store.accounts()).map((known) => known.name);
  throw unknown(name, [...names, ...config.accounts.keys()], `nothing is stored of an account ${name}`);
}

function unknown(name: string, names: readonly string[], sentence: string): Fault {
  const meant = nearest(name, names);
  const hint = meant === undefined ? 'see: tokeep account list' : `did you mean ${meant}?`;
  return new Fault('usage', sentence, { hint });
}
