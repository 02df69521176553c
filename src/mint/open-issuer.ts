import { readSecret } from '../config/secret-source.ts';
import type { Database } from '../store/database.ts';
import { openDatabase } from '../store/open-database.ts';
import type { World } from '../world/world.ts';
import type { IssuerDeps, IssuerSettings, OpenIssuer } from './issuer.ts';
import { prepareIssuerDir } from './issuer-directory.ts';
import { type IssuerPlace, lostDatabase, prepareIssuer } from './issuer-schema.ts';
import { LiveIssuer } from './live-issuer.ts';
import { readSettings } from './settings.ts';

/**
 * Opens the issuer that lives in this directory. Throws Fault `issuer-missing`, `config-invalid`, `secret-unreadable`, and what
 * `openDatabase` throws. That there is a key to sign with is seen when something is signed.
 */
export async function openIssuer(world: World, directory: string, deps: IssuerDeps): Promise<OpenIssuer> {
  const settings = await readSettings(world, directory);
  await prepareIssuerDir(world, directory);
  const database = await openIssuerDatabase(world, directory, settings);
  try {
    return await LiveIssuer.open({ world, directory, deps, settings, database });
  } catch (thrown) {
    await database.close();
    throw thrown;
  }
}

export async function openIssuerDatabase(
  world: World,
  directory: string,
  { url, store }: Pick<IssuerSettings, 'url' | 'store'>,
  standing: IssuerPlace['standing'] = 'known',
): Promise<Database> {
  if (store.kind === 'sqlite') {
    const place = { kind: 'sqlite', directory, file: 'issuer.db' } as const;
    const path = `${directory}/${place.file}`;
    if (standing === 'known' && (await world.files.look(path)) === undefined) throw lostDatabase(path);
    return await openDatabase(world, place, (session, where) =>
      prepareIssuer(session, { where, url, engine: 'sqlite', standing }),
    );
  }
  const address = await readSecret(world, store.url, 'password');
  const caFile = store.caFile === undefined ? {} : { caFile: store.caFile };
  return await openDatabase(world, { kind: 'postgres', url: address.reveal(), ...caFile }, (session, where) =>
    prepareIssuer(session, { where, url, engine: 'postgres', standing }),
  );
}
