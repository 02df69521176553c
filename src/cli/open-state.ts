import type { Config } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import type { Logger } from '../observe/log.ts';
import { openSpool } from '../store/open-spool.ts';
import { openStore, type StoreOptions } from '../store/open-store.ts';
import type { StoreFinding } from '../store/quarantine.ts';
import { openSealer, type SealKeyOptions } from '../store/seal-key.ts';
import type { Sealer } from '../store/sealer.ts';
import type { Spool } from '../store/spool.ts';
import { prepareStateDir } from '../store/state-dir.ts';
import type { Store } from '../store/store.ts';
import type { World } from '../world/world.ts';
import { nodeName } from './node-name.ts';
import { sealKeyFile } from './state-place.ts';

export interface State {
  readonly store: Store;
  readonly spool: Spool;
  readonly sealer: Sealer;
}

/** Prepares the state directory, finds the sealing key, and opens store and spool. */
export async function openState(world: World, stateDir: string, config: Config, log: Logger): Promise<State> {
  await prepareStateDir(world, stateDir);
  const keyFile = sealKeyFile(world.env, world.user.uid, stateDir);
  const sealer = await openSealer(world, { keyFile, ...(await sealPassphrase(world, config)) });
  const store = await openStore(world, {
    stateDir,
    choice: await storeChoice(world, config),
    sealer,
    node: nodeName(world.env),
  });
  const onFinding = ({ sentence }: StoreFinding) => log.event('successor-damaged', { reason: sentence });
  return { store, spool: openSpool(world, { ...spoolPlaces(config, stateDir), sealer, onFinding }), sealer };
}

export function spoolPlaces({ spool }: Config, stateDir: string): { readonly dir: string; readonly second?: string } {
  return { dir: `${stateDir}/spool`, ...(spool === undefined ? {} : { second: spool }) };
}

/** What {@link openSealer} is to know of the passphrase, if the configuration names one. Throws what `readSecret` throws. */
export async function sealPassphrase(world: World, { seal }: Config): Promise<Pick<SealKeyOptions, 'passphrase'>> {
  return seal === undefined ? {} : { passphrase: await readSecret(world, seal.passphrase, 'password') };
}

/** The store of the configuration, with what opens it read. */
export async function storeChoice(world: World, { store }: Config): Promise<StoreOptions['choice']> {
  if (store.kind === 'sqlite') return store;
  const url = (await readSecret(world, store.url, 'password')).reveal();
  return { kind: 'postgres', url, ...(store.caFile === undefined ? {} : { caFile: store.caFile }) };
}
