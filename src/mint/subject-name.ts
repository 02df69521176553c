import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Database, Session } from '../store/database.ts';
import type { Sealer } from '../store/sealer.ts';
import type { IssuerUrl } from '../token/names.ts';
import { Secret } from '../token/secret.ts';
import type { Random } from '../world/random.ts';
import { issuerMeta, saveMeta } from './issuer-schema.ts';

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
  /** In a transaction of the caller, or by itself. */
  readonly source: Database | Session;
  readonly url: IssuerUrl;
  readonly sealer: Sealer;
  readonly random: Random;
}

/** With the key of the issuer, which is made when it is first needed. Throws Fault `seal-wrong-key`, `seal-damaged`, `state-*`. */
export async function openSubjectNames(place: NameKeyPlace): Promise<SubjectNames> {
  const { source, url, sealer } = place;
  const rows = 'rows' in source ? source.rows.bind(source) : source.read.bind(source);
  const sealed = (await issuerMeta({ rows }, nameKeySlot)) ?? (await makeNameKey(place));
  const secret = sealer.open('private_key', sealed, nameKeyBinding(url));
  return subjectNames(createSecretKey(Buffer.from(secret.reveal(), 'base64url')));
}

async function makeNameKey({ source, url, sealer, random }: NameKeyPlace): Promise<string> {
  const secret = new Secret('private_key', random.bytes(32).toString('base64url'));
  const made = sealer.seal(secret, nameKeyBinding(url));
  const save = async (session: Session) => {
    await saveMeta(session, nameKeySlot, made);
    return (await issuerMeta(session, nameKeySlot)) ?? made;
  };
  return await ('rows' in source ? save(source) : source.write(save));
}

export function subjectNames(key: KeyObject): SubjectNames {
  const name = (purpose: string, text: string) =>
    createHmac('sha256', key).update(`${purpose}\0${text}`).digest('hex').slice(0, 32);
  return {
    inLog: (subject) => `hashed:${name('audit log', subject)}`,
    random: (user) => name('subject', user),
  };
}
