import { checkIssuerOnline, type OnlineReport } from '../acquire/online-check.ts';
import type { Account, Config } from '../config/config.ts';
import { convertOsgToYaml } from '../config/convert.ts';
import { configJsonSchemaText } from '../config/json-schema.ts';
import { findConfig, formatFinding, loadConfig } from '../config/load.ts';
import { effectiveConfig, effectiveInput } from '../config/show.ts';
import { writePathsDropIn } from '../config/systemd.ts';
import { type ExitCode, exit, worstExit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { counted } from '../observe/printable.ts';
import type { Context } from './context.ts';
import { missingDirectories } from './missing-directories.ts';
import { usualStateDir } from './state-place.ts';
import { hasErrors } from './usable-config.ts';

/** `config check`: the findings are the result here, so they go to stdout. */
export async function checkConfig(context: Context, online: boolean): Promise<ExitCode> {
  const { world, options } = context;
  const place = await findConfig(world, options.config === undefined ? {} : { config: options.config });
  const config = await loadConfig(world, place.path);
  const stateDir = options.state ?? config.stateDir ?? usualStateDir(world.env, world.user.uid);
  const missing = await missingDirectories(world, config, stateDir);
  const findings = [...config.findings, ...missing];
  const reports = online ? await checkOnline(context, config) : [];
  const code = worstExit([
    ...(hasErrors(config) ? [exit.configuration] : []),
    ...reports.map(({ fault }) => fault?.exit ?? exit.fine),
  ]);
  if (options.json) {
    const { file, format } = config;
    const issuers = reports.map(({ account, findings }) => ({ account, findings }));
    await context.printJson({ file, format, findings, ...(online ? { issuers } : {}), exit: code });
    return code;
  }
  for (const finding of findings) await context.print(formatFinding(finding));
  for (const report of reports) await printOnline(context, report);
  const usable = `${counted(config.accounts.size, 'account')}, ${counted(config.wishes.size, 'token')}`;
  await context.say(`${config.file}: ${hasErrors(config) ? 'has errors' : 'in order'}; usable: ${usable}`);
  return code;
}

/** A few at a time: there may be hundreds of issuers, and each may hang for its time-out. */
async function checkOnline({ world }: Context, config: Config): Promise<readonly OnlineReport[]> {
  const waiting = [...config.accounts.values()];
  const reports: OnlineReport[] = [];
  const worker = async () => {
    for (let account = waiting.shift(); account !== undefined; account = waiting.shift()) {
      reports.push(await checkIssuerOnline(world, account, { scopes: scopesOf(config, account) }));
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return reports.toSorted((a, b) => (a.account < b.account ? -1 : 1));
}

function scopesOf({ wishes }: Config, { name }: Account): readonly string[] {
  const own = [...wishes.values()].filter(({ account }) => account === name);
  return [...new Set(own.flatMap(({ scope }) => (scope.kind === 'scopes' ? scope.scopes : [])))];
}

async function printOnline({ print, paint }: Context, { account, findings }: OnlineReport): Promise<void> {
  const colour = { ok: paint.good, warning: paint.warn, error: paint.bad };
  for (const { severity, sentence, hint } of findings) {
    await print(`${account}: ${colour[severity](severity)}: ${sentence}`);
    if (hint !== undefined) await print(`  ${hint}`);
  }
}

export async function showConfig(context: Context): Promise<ExitCode> {
  const config = await context.config();
  if (context.options.json) await context.printJson(effectiveInput(config));
  else await context.io.stdout.write(effectiveConfig(config));
  return hasErrors(config) ? exit.configuration : exit.fine;
}

/** `config convert`: the yaml on stdout; which secrets have to be moved is said on stderr, never the secrets. */
export async function convertConfig(context: Context, ini: string | undefined): Promise<ExitCode> {
  const { world, options } = context;
  if (ini !== undefined && (await world.files.facts(ini).catch(() => null)) === undefined) {
    throw new Fault('usage', `there is no file ${ini} to convert`);
  }
  const asked = ini ?? options.config;
  const place = await findConfig(world, asked === undefined ? {} : { config: asked });
  const config = await loadConfig(world, place.path);
  if (config.format !== 'ini') {
    throw new Fault('usage', `${config.file} is not an ini file, so there is nothing to convert`, {
      hint: 'name it: tokeep config convert /etc/osg/token-renewer/config.ini',
    });
  }
  for (const finding of config.findings) await context.warn(formatFinding(finding));
  const { yaml, secretFiles } = convertOsgToYaml(config);
  await context.io.stdout.write(yaml);
  for (const { path } of secretFiles) {
    await context.warn(
      `put the client secret that stands in ${config.file} into ${path}, mode 0640, group of the service`,
    );
  }
  return hasErrors(config) ? exit.configuration : exit.fine;
}

export async function systemdDropIn(context: Context, unit: string): Promise<ExitCode> {
  await context.io.stdout.write(writePathsDropIn(await context.config(), unit));
  return exit.fine;
}

export async function printSchema(context: Context): Promise<ExitCode> {
  await context.io.stdout.write(configJsonSchemaText());
  return exit.fine;
}
