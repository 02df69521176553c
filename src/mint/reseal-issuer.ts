import type { Session } from '../store/database.ts';
import { envelopeKeyId } from '../store/envelope.ts';
import type { SealBinding, Sealer } from '../store/sealer.ts';
import { takeKeysTurn } from './add-key.ts';
import type { OpenIssuer } from './issuer.ts';
import { issuerMeta, replaceMeta } from './issuer-schema.ts';
import { readKeys, replaceSealed } from './key-table.ts';
import { bindingOf } from './private-keys.ts';
import { nameKeyBinding, nameKeySlot } from './subject-name.ts';

/**
 * After a change of the sealing key: puts everything of this issuer that is sealed under the new one, and says how many envelopes were
 * changed. Throws Fault `seal-wrong-key` when one of them opens with neither; then nothing was changed.
 */
export async function resealIssuer(issuer: OpenIssuer): Promise<number> {
  const sealer = await issuer.keyPlace.sealer();
  const { url } = issuer.keyPlace;
  return await issuer.database.write(async (session: Session) => {
    await takeKeysTurn(session, issuer);
    let changed = 0;
    for (const { key, sealed } of await readKeys(session, issuer.database.sql.forUpdate)) {
      const renewed = sealed === undefined ? undefined : underNewKey(sealer, sealed, bindingOf(url, key.kid));
      if (renewed === undefined) continue;
      await replaceSealed(session, key.kid, renewed);
      changed += 1;
    }
    const names = await issuerMeta(session, nameKeySlot);
    const renewed = names === undefined ? undefined : underNewKey(sealer, names, nameKeyBinding(url));
    if (renewed === undefined) return changed;
    await replaceMeta(session, nameKeySlot, renewed);
    return changed + 1;
  });
}

/** Undefined where it is already. */
function underNewKey(sealer: Sealer, envelope: string, binding: SealBinding): string | undefined {
  if (envelopeKeyId(envelope) === sealer.keyId) return undefined;
  return sealer.seal(sealer.open('private_key', envelope, binding), binding);
}
