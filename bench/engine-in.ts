import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../src/config/load.ts';
import { ownIssuers } from '../src/mint/own-issuers.ts';
import { createLogger } from '../src/observe/log.ts';
import { Engine } from '../src/renew/engine.ts';
import type { Signals } from '../src/renew/ports.ts';
import { openSpool } from '../src/store/open-spool.ts';
import { openStore } from '../src/store/open-store.ts';
import { openSealer } from '../src/store/seal-key.ts';
import { prepareStateDir } from '../src/store/state-dir.ts';
import { realWorld } from '../src/world/real-world.ts';

export interface OpenedEngine extends AsyncDisposable {
  readonly engine: Engine;
}

export const neverAborted: Signals = { waiting: new AbortController().signal, request: new AbortController().signal };

/** Where things lie in a directory of a benchmark; the commands are told so by `--config`, `--state` and the environment. */
export const placesIn = (dir: string) => ({
  config: join(dir, 'tokeep.yaml'),
  state: join(dir, 'state'),
  targets: join(dir, 'targets'),
  env: { CONFIGURATION_DIRECTORY: dir },
});

/** The real engine on the configuration and state in a directory, as `tokeep renew --quiet` opens it. */
export async function engineIn(dir: string): Promise<OpenedEngine> {
  const world = realWorld();
  const places = placesIn(dir);
  const config = await loadConfig(world, places.config);
  const wrong = config.findings.find(({ severity }) => severity === 'error');
  if (wrong !== undefined) throw new Error(`the configuration of the benchmark is wrong: ${wrong.message}`);
  await prepareStateDir(world, places.state);
  const sealer = await openSealer(world, { keyFile: join(dir, 'seal.key') });
  // As the commands name it, so that they find their own deliveries.
  const node = hostname();
  const store = await openStore(world, { stateDir: places.state, choice: { kind: 'sqlite' }, sealer, node });
  const spool = openSpool(world, { dir: join(places.state, 'spool'), sealer });
  const { clock } = world;
  const log = createLogger({
    format: 'plain',
    threshold: 'warning',
    clock,
    write: (line) => process.stderr.write(line),
  });
  const issuers = ownIssuers(world, { sealer: async () => sealer, chain: node });
  const engine = await Engine.open({ absent: 'park', world, config, store, spool, log, node, ownIssuers: issuers });
  return {
    engine,
    async [Symbol.asyncDispose]() {
      await issuers.close();
      await store.close();
      await world.http.close();
    },
  };
}

/** Writes the configuration and the client secret it names. `DIR` stands for the directory. */
export async function writeConfig(dir: string, config: string, secret: string): Promise<void> {
  await writeFile(join(dir, 'secret'), `${secret}\n`, { mode: 0o600 });
  await writeFile(placesIn(dir).config, config.replaceAll('DIR', dir), { mode: 0o600 });
}
