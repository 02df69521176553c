import { asFault } from '../fault/fault.ts';
import type { AccountName } from '../token/names.ts';
import type { World } from '../world/world.ts';
import { type AccountEntry, assemble, type WishEntry } from './assemble.ts';
import type { Config, IssuerLimits, NotifyRule } from './config.ts';
import { emptyConfig } from './empty-config.ts';
import type { Findings } from './finding.ts';
import { compileTemplate, expandRow, readRows } from './for-each.ts';
import { unfitName } from './names.ts';
import { configSchema, settingKeys } from './schema.ts';
import { accountSchema } from './schema-accounts.ts';
import { limitsSchema, notifySchema } from './schema-settings.ts';
import { type RowSource, type TokenInput, tokenSchema } from './schema-tokens.ts';
import { issuerUrl } from './schema-values.ts';
import { wishOf } from './wish.ts';
import { accountOf } from './yaml-accounts.ts';
import { checkPart, labelOf } from './yaml-issues.ts';
import { limitsOf, metricsOf, notifyRuleOf, storeOf } from './yaml-settings.ts';
import { YamlSource } from './yaml-source.ts';

type Sections = Readonly<Record<string, unknown>>;

interface Reading {
  readonly world: World;
  readonly source: YamlSource;
  readonly top: Sections;
  readonly findings: Findings;
}

/** Reads `tokeep.yaml`. Never throws for what stands in it. */
export async function readYaml(world: World, file: string, text: string, findings: Findings): Promise<Config> {
  const source = YamlSource.parse(file, text, findings);
  const top = source === undefined ? undefined : topOf(source, findings);
  if (source === undefined || top === undefined) return emptyConfig('yaml', file, findings);
  const reading = { world, source, top, findings };
  const settings = readSettings(reading);
  const accounts = readAccounts(reading);
  const wishes = await readWishes(reading);
  const written = {
    accounts: new Set(Object.keys(sectionsOf(reading, 'accounts'))),
    tokens: new Set(Object.keys(sectionsOf(reading, 'tokens'))),
  };
  const parts = assemble(accounts, wishes, written, findings);
  // With a wrong idea of where refresh tokens lie, going on could lose them.
  const lost = ['store', 'seal', 'state', 'spool'].some((setting) => findings.broken(setting));
  if (lost) return { ...emptyConfig('yaml', file, findings), ...settings, findings: findings.list() };
  return { format: 'yaml', file, ...parts, ...settings, findings: findings.list() };
}

function topOf(source: YamlSource, findings: Findings): Sections | undefined {
  const { data } = source;
  if (data === null || data === undefined) {
    findings.warning(
      { file: source.file, line: 1, column: 1 },
      'the configuration is empty, so there is nothing to keep fresh',
    );
    return {};
  }
  if (!isMapping(data)) {
    findings.error(
      source.valueAt([]),
      'the configuration must be a mapping with sections such as "accounts:" and "tokens:"',
    );
    return undefined;
  }
  for (const key of Object.keys(data)) {
    if (settingKeys.includes(key)) continue;
    findings.error(source.keyAt([key]), `unknown key "${key}"`, {
      section: key,
      unknown: { word: key, known: settingKeys },
    });
  }
  return data;
}

const isMapping = (value: unknown): value is Sections =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The named sections below a key; an empty key has none. */
function sectionsOf({ source, top, findings }: Reading, key: string): Sections {
  const value = top[key];
  if (value === undefined || value === null) return {};
  if (isMapping(value)) return value;
  if (!findings.broken(key))
    findings.error(source.valueAt([key]), `"${key}" must be a mapping of names to sections`, { section: key });
  return {};
}

function readAccounts(reading: Reading): readonly AccountEntry[] {
  const { source, findings } = reading;
  const entries: AccountEntry[] = [];
  for (const [name, value] of Object.entries(sectionsOf(reading, 'accounts'))) {
    const path = ['accounts', name];
    const section = `accounts.${name}`;
    const at = source.keyAt(path);
    const unfit = unfitName(name);
    if (unfit !== undefined) findings.error(at, `the name ${JSON.stringify(name)} ${unfit}`, { section });
    const input = checkPart(accountSchema, source, path, value, findings);
    if (input === undefined) continue;
    const account = accountOf(name as AccountName, at, input, (key, message) => {
      const where = key in input ? source.keyAt([...path, key]) : at;
      findings.error(where, `"${key}" ${message}`, { section });
      return undefined;
    });
    if (account !== undefined && !findings.broken(section)) {
      entries.push({ account, subjectAt: source.valueAt([...path, 'subject']) });
    }
  }
  return entries;
}

async function readWishes(reading: Reading): Promise<readonly WishEntry[]> {
  const { source, findings } = reading;
  const entries: WishEntry[] = [];
  for (const [name, value] of Object.entries(sectionsOf(reading, 'tokens'))) {
    const input = checkPart(tokenSchema, source, ['tokens', name], value, findings);
    if (input === undefined) continue;
    for (const entry of await entriesOf(reading, name, input)) entries.push(entry);
  }
  return entries;
}

async function entriesOf(reading: Reading, name: string, input: TokenInput): Promise<readonly WishEntry[]> {
  const { source, findings } = reading;
  const path = ['tokens', name];
  const section = `tokens.${name}`;
  const at = source.keyAt(path);
  const accountAt = source.valueAt([...path, 'account']);
  if (input.for_each === undefined) {
    const wish = wishOf(name, at, input, (inside, message) => {
      const whole = [...path, ...inside];
      const label = inside.length === 0 ? '' : `"${labelOf(whole)}" `;
      findings.error(inside.length === 0 ? at : source.valueAt(whole), `${label}${message}`, { section });
    });
    return findings.broken(section) ? [] : [{ wish, section, accountAt }];
  }
  return expand(reading, { name, input, rows: input.for_each }, { section, accountAt });
}

/** One wish for each row; a row with an error is left out with a finding, the other rows go on. */
async function expand(
  { world, source, findings }: Reading,
  { name, input, rows }: { readonly name: string; readonly input: TokenInput; readonly rows: RowSource },
  common: Omit<WishEntry, 'wish'>,
): Promise<readonly WishEntry[]> {
  const at = source.keyAt(['tokens', name]);
  const from = source.keyAt(['tokens', name, 'for_each']);
  const entries: WishEntry[] = [];
  try {
    const template = compileTemplate(name, input);
    for (const [index, row] of (await readRows(world, rows)).entries()) {
      const wish = expandRow(template, row, at);
      if (typeof wish === 'string') findings.error(from, `row ${index + 1}: ${wish}`);
      else entries.push({ ...common, wish });
    }
  } catch (thrown) {
    const fault = asFault(thrown, 'reading the rows');
    findings.error(from, fault.message, { section: common.section, code: fault.code });
  }
  return entries;
}

function readSettings(
  reading: Reading,
): Pick<Config, 'notify' | 'limits' | 'issuerLimits' | 'store'> & Partial<Config> {
  const { source, top, findings } = reading;
  const { limits, store, seal, state, spool, metrics } = configSchema.shape;
  const check = <S extends Parameters<typeof checkPart>[0]>(key: string, schema: S) =>
    checkPart(schema, source, [key], top[key] ?? undefined, findings);
  const own = check('limits', limits);
  const common = limitsOf(own);
  const sealInput = check('seal', seal);
  const stateDir = check('state', state);
  const spoolDir = check('spool', spool);
  const metricsInput = check('metrics', metrics);
  return {
    notify: readNotify(reading),
    limits: common,
    issuerLimits: readIssuerLimits(reading, common),
    store: storeOf(check('store', store)),
    ...(sealInput === undefined ? {} : { seal: sealInput }),
    ...(stateDir === undefined ? {} : { stateDir }),
    ...(spoolDir === undefined ? {} : { spool: spoolDir }),
    ...(metricsInput === undefined ? {} : { metrics: metricsOf(metricsInput) }),
  };
}

function readNotify(reading: Reading): readonly NotifyRule[] {
  const rules: NotifyRule[] = [];
  for (const [name, value] of Object.entries(sectionsOf(reading, 'notify'))) {
    const input = checkPart(notifySchema, reading.source, ['notify', name], value, reading.findings);
    if (input !== undefined) rules.push(notifyRuleOf(name, input));
  }
  return rules;
}

function readIssuerLimits(reading: Reading, common: IssuerLimits): ReadonlyMap<string, IssuerLimits> {
  const { source, findings } = reading;
  const limits = new Map<string, IssuerLimits>();
  for (const [issuer, value] of Object.entries(sectionsOf(reading, 'issuers'))) {
    const path = ['issuers', issuer];
    const name = issuerUrl.safeParse(issuer);
    if (!name.success)
      findings.error(source.keyAt(path), `"${issuer}" ${name.error.issues[0]?.message}`, { section: path.join('.') });
    const input = checkPart(limitsSchema, source, path, value, findings);
    if (input !== undefined && name.success) limits.set(issuer, limitsOf(input, common));
  }
  return limits;
}
