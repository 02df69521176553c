import { createSecretKey } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import type { AccountName } from '../token/names.ts';
import { Secret, type SecretKind } from '../token/secret.ts';
import { type Epoch, seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { box, unbox } from './envelope.ts';
import type { AccountRecord, AccountSecrets } from './records.ts';
import { keyBytes, keyFromPassphrase } from './seal-key.ts';
import type { Store } from './store.ts';

const firstWord = 'tokeep-backup-1';
const slots = ['credential', 'clientSecret', 'registrationToken'] as const;
const lockPatience = seconds(30);

interface PlainSecret {
  readonly kind: SecretKind;
  readonly text: string;
}
interface Backup {
  readonly madeAt: Epoch;
  readonly accounts: readonly {
    readonly record: AccountRecord;
    readonly secrets: Readonly<Partial<Record<(typeof slots)[number], PlainSecret>>>;
  }[];
}

export interface RestoreReport {
  readonly madeAt: Epoch;
  /** Taken from the backup. Their credential may have been used since; the first renewal tells. */
  readonly restored: readonly AccountName[];
  /** The state has them as new as the backup, or newer. */
  readonly kept: readonly AccountName[];
}

/**
 * All accounts with their secrets, encrypted under a passphrase (argon2id, AES-256-GCM). Wishes, tokens and deliveries are not in
 * it: they come again from the configuration and the issuers.
 */
export async function sealedBackup(world: World, store: Store, passphrase: Secret<'password'>): Promise<string> {
  const accounts: Backup['accounts'][number][] = [];
  for (const record of await store.accounts()) {
    const secrets = await store.secrets(record.name);
    const plain = slots.flatMap((slot) => {
      const secret = secrets[slot];
      return secret === undefined ? [] : [[slot, { kind: secret.kind, text: secret.reveal() }]];
    });
    accounts.push({ record, secrets: Object.fromEntries(plain) });
  }
  const backup: Backup = { madeAt: world.clock.now(), accounts };
  const salt = world.random.bytes(keyBytes);
  const sealed = box(
    createSecretKey(keyFromPassphrase(passphrase, salt)),
    Buffer.from(JSON.stringify(backup)),
    Buffer.from(firstWord),
  );
  return `${firstWord} ${salt.toString('base64')} ${sealed.toString('base64')}\n`;
}

/** Throws `usage` when the passphrase or the file is not the right one. Nothing is changed then. */
function openBackup(text: string, passphrase: Secret<'password'>): Backup {
  const [word, salt, sealed] = text.trim().split(' ');
  if (word !== firstWord || salt === undefined || sealed === undefined) {
    throw new Fault('usage', 'the file is no backup made by tokeep, or was cut');
  }
  const key = createSecretKey(keyFromPassphrase(passphrase, Buffer.from(salt, 'base64')));
  try {
    return JSON.parse(unbox(key, Buffer.from(sealed, 'base64'), Buffer.from(word)).toString('utf8')) as Backup;
  } catch {
    throw new Fault('usage', 'the backup does not open: it was made with another passphrase, or the file was changed');
  }
}

/**
 * Puts the accounts of a backup into the state. What the state has as new or newer stays. A restored account went back in time:
 * it is marked like one whose last answer was lost, so that its credential is tried once and not taken for granted (scenario 46).
 */
export async function restoreBackup(
  world: World,
  store: Store,
  text: string,
  passphrase: Secret<'password'>,
): Promise<RestoreReport> {
  const { madeAt, accounts } = openBackup(text, passphrase);
  const restored: AccountName[] = [];
  const kept: AccountName[] = [];
  for (const { record, secrets } of accounts) {
    await using _lock = await store.lockAccount(record.name, AbortSignal.timeout(lockPatience));
    const here = await store.account(record.name);
    if (here !== undefined && here.generation >= record.generation) {
      kept.push(record.name);
      continue;
    }
    const opened = slots.flatMap((slot) => {
      const secret = secrets[slot];
      return secret === undefined ? [] : [[slot, new Secret(secret.kind, secret.text)]];
    });
    await store.saveAccount(
      wentBack(record, (here?.generation ?? 0) + 1, world.clock.now(), madeAt),
      Object.fromEntries(opened) as AccountSecrets,
    );
    restored.push(record.name);
  }
  return { madeAt, restored, kept };
}

function wentBack(record: AccountRecord, generation: number, now: Epoch, madeAt: Epoch): AccountRecord {
  if (record.credential === null) return { ...record, generation };
  const { fingerprint } = record.credential;
  const made = new Date(madeAt).toISOString();
  return {
    ...record,
    generation,
    intent: { attempt: 'restored-from-backup', spends: fingerprint, at: now, outcome: 'unknown' },
    trouble: {
      code: 'outcome-unknown',
      who: 'wait',
      sentence: `account ${record.name} was restored from a backup of ${made}; its credential may have been used since`,
      hint: 'the next renewal tells; if it is refused, somebody has to log in again',
      since: now,
      lastAt: now,
      attempts: 0,
      nextTry: now,
    },
  };
}
