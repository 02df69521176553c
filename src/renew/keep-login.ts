import type { Gain } from '../acquire/login-flow.ts';
import type { RegisteredClient } from '../acquire/registration.ts';
import type { RefreshTokenAccount } from '../config/config.ts';
import type { AccountRecord, AccountSecrets, RefreshExpiry } from '../store/records.ts';
import type { Spool } from '../store/spool.ts';
import type { Store } from '../store/store.ts';
import type { AccountName, IssuerUrl } from '../token/names.ts';
import { between, days, type Epoch } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { blankAccount, next, withCredential } from './account-state.ts';
import { expiryOf } from './credential-expiry.ts';

export interface LoginPorts {
  readonly world: World;
  readonly store: Store;
  readonly spool: Spool;
  readonly signal: AbortSignal;
}

/** Shows that a login can be kept, before a person is asked to do anything. Throws Fault `state-*` otherwise. */
export async function proveRoom({ store, spool, signal }: LoginPorts, account: AccountName): Promise<void> {
  await using _lock = await store.lockAccount(account, signal);
  const reservation = await spool.reserve(account);
  await reservation.release();
}

/**
 * Takes a login into the records, as safely as a successor: into the spool first, then into the store, under the account's
 * lock. What was wrong with the account is over, and its wishes are due at once.
 */
export async function keepLogin(ports: LoginPorts, account: RefreshTokenAccount, gain: Gain): Promise<AccountRecord> {
  const { world, store, spool, signal } = ports;
  await using _lock = await store.lockAccount(account.name, signal);
  const { record, secrets } = await known(store, account);
  const at = world.clock.now();
  const { credential } = gain;
  const expiry = expiryOf({ credential, says: gain.expiresIn, account, at });
  const saved = fitting(account, withCredential(record, credential, at, expiry));
  const reservation = await spool.reserve(account.name);
  await reservation.save(credential, saved.generation);
  await store.saveAccount(saved, { ...secrets, credential });
  await reservation.release();
  const wishes = (await store.wishes()).filter((wish) => wish.account === account.name);
  await store.hasten(
    wishes.map(({ name }) => name),
    at,
  );
  return saved;
}

/** Takes a new client into the records, before anybody logs in with it: a refresh token without its client is worth nothing. */
export async function keepClient(
  { store, signal }: LoginPorts,
  account: RefreshTokenAccount,
  issuer: IssuerUrl,
  client: RegisteredClient,
): Promise<void> {
  await using _lock = await store.lockAccount(account.name, signal);
  const { record, secrets } = await known(store, account);
  const { clientId, authMethod, clientSecret, registrationToken, registrationUri } = client;
  const { clientSecret: _oldSecret, registrationToken: _oldToken, ...others } = secrets;
  const saved = next(record, {
    client: {
      issuer,
      clientId,
      authMethod,
      ...(client.scope === undefined ? {} : { scope: client.scope.join(' ') }),
    },
    learnt: { ...record.learnt, ...(registrationUri === undefined ? {} : { 'registration-uri': registrationUri }) },
  });
  await store.saveAccount(fitting(account, saved), {
    ...others,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(registrationToken === undefined ? {} : { registrationToken }),
  });
}

async function known(
  store: Store,
  account: RefreshTokenAccount,
): Promise<{ readonly record: AccountRecord; readonly secrets: AccountSecrets }> {
  const record = await store.account(account.name);
  if (record === undefined) return { record: blankAccount(account), secrets: {} };
  return { record, secrets: await store.secrets(account.name) };
}

/** As the configuration has it now; an account that was parked is back. */
const fitting = (account: RefreshTokenAccount, record: AccountRecord): AccountRecord => ({
  ...record,
  fingerprint: account.fingerprint,
  state: 'kept',
});

const short = days(30);

/** How long the login holds, in words: said once, when it was made. */
export function loginLifeInWords(expiry: RefreshExpiry, now: Epoch): string {
  if (expiry.kind === 'unknown') return 'the issuer does not say how long this login holds';
  const left = between(now, expiry.at);
  const until = `this login holds until ${new Date(expiry.at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  if (left > short) return until;
  return `${until}, which is soon; it stays longer if the issuer renews it with each use, and there will be warnings before it ends`;
}
