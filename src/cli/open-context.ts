import { Fault } from '../fault/fault.ts';
import { ownIssuers } from '../mint/own-issuers.ts';
import { createLogger, logFormat } from '../observe/log.ts';
import { printableJson } from '../observe/printable.ts';
import { realWorld } from '../world/real-world.ts';
import { asStateOwner } from './as-state-owner.ts';
import { noteSeen } from './config-seen.ts';
import type { Context, GlobalOptions } from './context.ts';
import type { CliIo } from './io.ts';
import { nodeName } from './node-name.ts';
import { openState } from './open-state.ts';
import { paintFor } from './paint.ts';
import { usualStateDir } from './state-place.ts';
import { stopSignals } from './stop-signal.ts';

/** The context of one command of this process. Nothing is opened before it is asked for, and each thing once. */
export function openContext(io: CliIo, options: GlobalOptions): Context {
  const world = realWorld();
  const { stdout, stderr } = io;
  const line = async (text: string) => await stderr.write(`${text}\n`);
  const log = createLogger({
    format: logFormat(io.env, { json: options.json && options.verbose, terminal: stderr.isTTY }),
    threshold: options.verbose ? 'debug' : options.quiet ? 'warning' : 'info',
    clock: world.clock,
    write: (text) => void stderr.write(text),
  });
  const read = once(async () => {
    const { readConfig } = await import('./read-config.ts');
    const { formatFinding } = await import('../config/finding.ts');
    const { demandUsable } = await import('./usable-config.ts');
    const found = await readConfig(world, options.config);
    for (const finding of found.config.findings) await line(formatFinding(finding));
    demandUsable(found.config);
    return found;
  });
  const config = async () => (await read()).config;
  const stateDir = once(async () => {
    if (options.state === '') throw new Fault('usage', '--state names no directory: it is empty');
    return options.state ?? (await config()).stateDir ?? usualStateDir(world.env, world.user.uid);
  });
  const state = once(async () => {
    // The configuration is read while we are who we are.
    const read = await config();
    await asStateOwner(world, await stateDir());
    return await openState(world, await stateDir(), read, log);
  });
  const issuers = ownIssuers(world, { sealer: async () => (await state()).sealer, chain: nodeName(world.env) });
  return {
    world,
    io,
    options,
    get signal() {
      return stopSignals().stop;
    },
    log,
    paint: paintFor(stdout, options.color, io.env),
    print: (text) => stdout.write(`${text}\n`),
    printJson: (value) => stdout.write(`${printableJson(value)}\n`),
    say: async (text) => (options.quiet ? undefined : await line(text)),
    warn: line,
    detail: async (text) => (options.verbose ? await line(text) : undefined),
    config,
    async configTaken() {
      const { store, seal } = await config();
      // The quick way of `get` knows neither a database nor a passphrase.
      if (store.kind === 'sqlite' && seal === undefined)
        await noteSeen(world, await stateDir(), options.config, (await read()).trace);
    },
    stateDir,
    store: async () => (await state()).store,
    spool: async () => (await state()).spool,
    ownIssuers: issuers,
    async close() {
      await issuers.close();
      if (state.begun) await (await state()).store.close().catch(() => {});
      await world.http.close();
    },
  };
}

interface Once<T> {
  (): Promise<T>;
  readonly begun: boolean;
}

function once<T>(work: () => Promise<T>): Once<T> {
  let promise: Promise<T> | undefined;
  const ask = () => {
    promise ??= work();
    return promise;
  };
  return Object.defineProperty(ask as Once<T>, 'begun', { get: () => promise !== undefined });
}
