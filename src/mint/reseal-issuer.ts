import type { Database } from '../store/database.ts';
import { envelopeKeyId } from '../store/envelope.ts';
import type { Resealable } from '../store/resealable.ts';
import type { SealBinding, Sealer } from '../store/sealer.ts';
import { prepareStateDir } from '../store/state-dir.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { World } from '../world/world.ts';
import { takeKeysTurn } from './add-key.ts';
import type { Engine } from './engine.ts';
import { issuerMeta, replaceMeta } from './issuer-schema.ts';
import { readKeys, replaceSealed } from './key-table.ts';
import { leaveSealingKey } from './left-sealing-key.ts';
import { openIssuerDatabase } from './open-issuer.ts';
import { bindingOf } from './private-keys.ts';
import { readSettings } from './settings.ts';
import { nameKeyBinding, nameKeySlot } from './subject-name.ts';

/** What an issuer keeps sealed: private keys, and the key of the names of subjects. */
export type SealedParts = Resealable & AsyncDisposable;

interface Place {
  readonly url: IssuerUrl;
  readonly engine: Engine;
  readonly database: Database;
}

/**
 * For a change of the sealing key: opens the issuer without opening anything that it keeps sealed. Throws what `openIssuer` throws; the
 * methods throw Fault `seal-wrong-key` and `seal-damaged`.
 */
export async function openSealedParts(world: World, directory: string): Promise<SealedParts> {
  const settings = await readSettings(world, directory);
  await prepareStateDir(world, directory);
  const database = await openIssuerDatabase(world, directory, settings);
  const place = { url: settings.url, engine: settings.store.kind, database };
  return {
    name: `the issuer in ${directory}`,
    check: (sealer) => checkSealed(place, sealer),
    reseal: (sealer) => resealIssuer(place, sealer),
    leave: (keyId) =>
      database.write(async (session) => {
        await takeKeysTurn(session, place);
        await leaveSealingKey(session, keyId);
      }),
    [Symbol.asyncDispose]: () => database.close(),
  };
}

async function checkSealed({ url, database }: Place, sealer: Sealer): Promise<void> {
  for (const { key, sealed } of await readKeys(database)) {
    if (sealed !== undefined) sealer.open('private_key', sealed, bindingOf(url, key.kid));
  }
  const names = await issuerMeta({ rows: database.read.bind(database) }, nameKeySlot);
  if (names !== undefined) sealer.open('private_key', names, nameKeyBinding(url));
}

async function resealIssuer({ url, engine, database }: Place, sealer: Sealer): Promise<number> {
  return await database.write(async (session) => {
    await takeKeysTurn(session, { engine });
    let changed = 0;
    for (const { key, sealed } of await readKeys(session, database.sql.forUpdate)) {
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
