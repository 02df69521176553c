import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Database, Session } from '../store/database.ts';
import type { Sealer } from '../store/sealer.ts';
import type { IssuerUrl } from '../token/names.ts';
import { Secret } from '../token/secret.ts';
import type { Random } from '../world/random.ts';
import { type Engine, takeTurn } from './engine.ts';
import { issuerMeta, saveMeta } from './issuer-schema.ts';
import { refuseLeftKey } from './left-sealing-key.ts';

/** Where the key lies, sealed. */
export const nameKeySlot = 'name-key';

export const nameKeyBinding = (url: IssuerUrl) => ({ record: `name key of issuer ${url}`, generation: 1 });

/**
 * Names for people that only this issuer can give: without its key nobody can try out who is meant, and two issuers give the same person
 * names that have nothing to do with each other.
 */
export interface SubjectNames {
  /** How a subject stands in an audit log with `subjects: hashed`. */
  inLog(subject: string): string;
  /** A subject for a user of ours: always the same, 128 bits, and no other user's. */
  random(user: string): string;
}

interface NameKeyPlace {
  readonly url: IssuerUrl;
  readonly sealer: Sealer;
}

/** With the key that lies there, or undefined where none was made yet. Throws Fault `seal-wrong-key`, `seal-damaged`, `state-*`. */
export async function readSubjectNames(
  source: Pick<Session, 'rows'>,
  { url, sealer }: NameKeyPlace,
): Promise<SubjectNames | undefined> {
  const sealed = await issuerMeta(source, nameKeySlot);
  if (sealed === undefined) return undefined;
  const secret = sealer.open('private_key', sealed, nameKeyBinding(url));
  return subjectNames(createSecretKey(Buffer.from(secret.reveal(), 'base64url')));
}

/** Makes the key; of two that do so together the first one's stays. */
export async function makeNameKey(
  { database, engine }: { readonly database: Database; readonly engine: Engine },
  { url, sealer }: NameKeyPlace,
  random: Random,
): Promise<void> {
  const secret = new Secret('private_key', random.bytes(32).toString('base64url'));
  const sealed = sealer.seal(secret, nameKeyBinding(url));
  await database.write(async (session) => {
    await takeTurn(session, engine, 'keys');
    await refuseLeftKey(session, sealed);
    await saveMeta(session, nameKeySlot, sealed);
  });
}

function subjectNames(key: KeyObject): SubjectNames {
  const name = (purpose: string, text: string) =>
    createHmac('sha256', key).update(`${purpose}\0${text}`).digest('hex').slice(0, 32);
  return {
    inLog: (subject) => `hashed:${name('audit log', subject)}`,
    random: (user) => name('subject', user),
  };
}
