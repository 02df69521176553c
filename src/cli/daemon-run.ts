import manifest from '../../package.json' with { type: 'json' };
import type { Config } from '../config/config.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { countEvents } from '../observe/metrics.ts';
import { serveMetrics } from '../observe/metrics-endpoint.ts';
import { counted } from '../observe/printable.ts';
import { Daemon } from '../renew/daemon.ts';
import { realServeText } from '../world/real-text-server.ts';
import type { Context } from './context.ts';
import { JournalHeads } from './journal-heads.ts';
import { openEngine } from './open-engine.ts';
import { Outlook } from './outlook.ts';
import { Pulse } from './pulse.ts';
import { readConfig } from './read-config.ts';
import { type ServiceManager, serviceManager } from './service-manager.ts';
import { stopSignals } from './stop-signal.ts';

/** After a stop was asked for, requests under way get this long; their time-outs are shorter as a rule. */
const grace = 60_000;

/** `tokeep run`. */
export async function keepRunning(context: Context, metricsAddress: string | undefined): Promise<ExitCode> {
  const { world, signal: stop } = context;
  const config = await context.config();
  const store = await context.store();
  await using _only = await store.lockRun();
  const log = countEvents(context.log);
  const engine = await openEngine(context, { absent: 'park', log });
  const outlook = new Outlook({ world, store, log, config: () => engine.config });
  const heads = new JournalHeads(context.ownIssuers, world.clock, log);
  const manager = serviceManager(world, log);
  const pulse = new Pulse(manager);
  const late = new AbortController();
  stop.addEventListener('abort', () => void setTimeout(() => late.abort(), grace).unref(), { once: true });
  const daemon = new Daemon(engine, {
    stop,
    hurry: AbortSignal.any([late.signal, stopSignals().hurry]),
    onTurn: async () => {
      pulse.turned();
      outlook.turn();
      heads.turn();
    },
    onReport: () => outlook.happened(),
  });
  const listen = metricsAddress ?? config.metrics?.listen;
  const alive = () => pulse.alive();
  await using server =
    listen === undefined
      ? undefined
      : await serveMetrics(realServeText, listen, {
          metrics: () => outlook.metrics(),
          alive,
          ready: () => alive() && !stop.aborted,
        });
  if (server !== undefined) log.event('metrics-listening', { address: server.address });
  const { file, wishes, accounts } = config;
  log.event('started', { version: manifest.version, config: file, wishes: wishes.size, accounts: accounts.size });
  process.on('SIGHUP', () => void reload(context, daemon, manager, config));
  await manager.tell('READY=1', `STATUS=keeps ${counted(wishes.size, 'token')} fresh`);
  const stopping = () => {
    log.event('stopping', { reason: `${(stop.reason as Error).message}, what is under way is brought to its end` });
    void manager.tell('STOPPING=1');
  };
  stop.addEventListener('abort', stopping, { once: true });
  await daemon.run();
  await outlook.end();
  await heads.end();
  pulse.end();
  log.event('stopped', {});
  return exit.fine;
}

/** SIGHUP: a configuration that reads takes over as a whole; where state lies is fixed at the start. */
async function reload(context: Context, daemon: Daemon, manager: ServiceManager, running: Config): Promise<void> {
  await manager.tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  await daemon.reload(async () => {
    const { config } = await readConfig(context.world, context.options.config);
    const places = ({ store, stateDir, spool }: Config) => JSON.stringify([store, stateDir, spool]);
    if (places(config) === places(running)) return config;
    throw new Fault('config-invalid', 'it names another place for the state; that takes a restart');
  });
  await manager.tell('READY=1');
}
