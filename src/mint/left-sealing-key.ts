import { Fault } from '../fault/fault.ts';
import type { Session } from '../store/database.ts';
import { envelopeKeyId } from '../store/envelope.ts';
import { issuerMeta, saveMeta } from './issuer-schema.ts';

/** One row for each key, so that a role that may only insert can do without the right to change rows. */
const slotOf = (keyId: string): string => `left-seal-key ${keyId}`;

/** To be called in the turn of the keys: what was sealed with this key is put under another one after it, and nothing may come late. */
export const leaveSealingKey = (session: Session, keyId: string): Promise<void> =>
  saveMeta(session, slotOf(keyId), 'left');

/** Throws Fault `seal-wrong-key` for what was sealed with a key that was changed meanwhile: nobody could open it any more. */
export async function refuseLeftKey(session: Session, envelope: string): Promise<void> {
  const keyId = envelopeKeyId(envelope);
  if (keyId === undefined || (await issuerMeta(session, slotOf(keyId))) === undefined) return;
  throw new Fault('seal-wrong-key', `the sealing key ${keyId} was changed by \`tokeep seal rotate\``, {
    hint: 'do it again, and restart what is still running with the old key',
  });
}
