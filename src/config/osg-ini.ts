import type { AccountName, Scope, WishName } from '../token/names.ts';
import { Secret } from '../token/secret.ts';
import { seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { type AccountEntry, assemble, type WishEntry } from './assemble.ts';
import type { Account, Config, ScopeWish, SecretRef } from './config.ts';
import { emptyConfig } from './empty-config.ts';
import type { Findings } from './finding.ts';
import { accountFingerprint, wishFingerprint } from './fingerprint.ts';
import { type IniFile, parseIni } from './ini.ts';
import { unfitName } from './names.ts';
import { oidcAgentFile } from './oidc-agent-home.ts';
import { accountKeys, IniSectionReader, tokenKeys } from './osg-section.ts';
import { unfitUrl } from './safe-url.ts';
import { fileTarget, unfitScope } from './wish.ts';
import { rawAudienceOf } from './word-list.ts';
import { defaultTimeout } from './yaml-accounts.ts';

interface Sections {
  readonly accounts: ReadonlyMap<string, IniSectionReader>;
  readonly tokens: ReadonlyMap<string, IniSectionReader>;
}

/** Reads the `config.ini` of OSG's token renewer. Never throws for what stands in it. */
export async function readOsgIni(world: World, file: string, text: string, findings: Findings): Promise<Config> {
  const ini = parseIni(text);
  const sections = sectionsOf(ini, file, findings);
  for (const { header, message, ...spot } of ini.problems) {
    findings.error({ file, ...spot }, message, header === undefined ? {} : { section: sectionName(header) });
  }
  if (ini.sections.length === 0 && ini.problems.length === 0) {
    findings.warning({ file, line: 1, column: 1 }, 'the configuration is empty, so there is nothing to keep fresh');
  }
  const used = new Set([...sections.tokens.values()].map((section) => section.value('account')));
  const accounts: AccountEntry[] = [];
  for (const section of sections.accounts.values()) {
    // OSG's renewer does not look at an account that no token uses, so what is wrong there must not be an error here.
    if (!used.has(section.name)) section.forgive();
    const account = await accountOf(world, section);
    if (account !== undefined && !findings.broken(section.id)) accounts.push({ account, subjectAt: section.at });
  }
  await warnOfReadableSecret(world, file, sections, findings);
  const wishes: WishEntry[] = [];
  for (const section of sections.tokens.values()) {
    const oidc = sections.accounts.get(section.value('account') ?? '')?.value('password_file') !== undefined;
    const wish = wishEntryOf(section, oidc ? 'oidc' : 'client-credentials');
    if (wish !== undefined && !findings.broken(section.id)) wishes.push(wish);
  }
  const written = { accounts: new Set(sections.accounts.keys()), tokens: new Set(sections.tokens.keys()) };
  const parts = assemble(accounts, wishes, written, findings);
  return { ...emptyConfig('ini', file, findings), ...parts };
}

const sectionName = (header: string): string => {
  const [kind, name] = header.trim().split(/\s+/);
  return kind === 'account' || kind === 'token' ? `${kind}s.${name}` : header;
};

function sectionsOf(ini: IniFile, file: string, findings: Findings): Sections {
  const accounts = new Map<string, IniSectionReader>();
  const tokens = new Map<string, IniSectionReader>();
  for (const section of ini.sections) {
    const at = { file, line: section.line, column: section.column };
    const [kind, name, ...more] = section.header.trim().split(/\s+/);
    if ((kind !== 'account' && kind !== 'token') || name === undefined || more.length > 0) {
      const known = { word: kind ?? '', known: ['account', 'token', 'DEFAULT'] };
      const unknown = kind === 'account' || kind === 'token' ? {} : { unknown: known };
      findings.error(at, `[${section.header}] is neither [account NAME] nor [token NAME]`, {
        section: section.header,
        ...unknown,
      });
      continue;
    }
    const of = kind === 'account' ? accounts : tokens;
    const id = `${kind}s.${name}`;
    const unfit = unfitName(name);
    if (unfit !== undefined) findings.error(at, `the name "${name}" ${unfit}`, { section: id });
    if (of.has(name))
      findings.error(at, `[${kind} ${name}] stands here twice, first at line ${of.get(name)?.at.line}`, {
        section: id,
      });
    const keys = kind === 'account' ? accountKeys : tokenKeys;
    of.set(name, new IniSectionReader({ id, name, at, section, defaults: ini.defaults, keys, findings }));
  }
  return { accounts, tokens };
}

async function accountOf(world: World, section: IniSectionReader): Promise<Account | undefined> {
  section.warnOfUnknownKeys();
  const caFile = section.path('ca_file');
  const base = {
    name: section.name as AccountName,
    at: section.at,
    audienceStyle: 'audience' as const,
    timeout: defaultTimeout,
    ...(caFile === undefined ? {} : { caFile }),
  };
  const special = section.has('password_file') ? await oidcAccount(world, section) : clientCredentialsAccount(section);
  if (special === undefined) return undefined;
  const account = { ...base, ...special };
  return { ...account, fingerprint: accountFingerprint(account) } as Account;
}

async function oidcAccount(world: World, section: IniSectionReader): Promise<object | undefined> {
  const other = ['token_request_url', 'client_id', 'client_secret'].filter((key) => section.has(key));
  if (other.length > 0) {
    section.warn(
      'password_file',
      `"password_file" makes this an OIDC account, so ${other.join(', ')} ${other.length > 1 ? 'are' : 'is'} not used`,
    );
  }
  const path = section.path('password_file', 'required');
  if (path === undefined) return undefined;
  const password: SecretRef = { kind: 'file', path };
  const oidcAgent = { path: await oidcAgentFile(world, section.name), password };
  return { grant: 'refresh_token', issuer: { kind: 'of-credential' }, oidcAgentFile: oidcAgent };
}

function clientCredentialsAccount(section: IniSectionReader): object | undefined {
  const missing = ['token_request_url', 'client_id', 'client_secret'].filter(
    (key) => (section.value(key) ?? '') === '',
  );
  if (missing.length === 3 && !section.has('token_request_url')) {
    section.complain(
      undefined,
      'there is neither "password_file" (OIDC) nor "token_request_url", "client_id" and "client_secret"',
    );
    return undefined;
  }
  for (const key of missing)
    section.complain(section.has(key) ? key : undefined, `"${key}" is ${section.has(key) ? 'empty' : 'missing'}`);
  const url = section.value('token_request_url');
  const unfit = url === undefined || url === '' ? undefined : unfitUrl(url);
  if (unfit !== undefined) section.complain('token_request_url', `"token_request_url" ${unfit}`);
  const secret = new Secret('client_secret', section.value('client_secret') ?? '');
  return {
    grant: 'client_credentials',
    issuer: { kind: 'token-endpoint', url },
    clientId: section.value('client_id'),
    clientAuth: { kind: 'client_secret_basic', secret: { kind: 'inline', secret }, encoding: 'raw' },
  };
}

function wishEntryOf(section: IniSectionReader, mode: 'oidc' | 'client-credentials'): WishEntry | undefined {
  section.warnOfUnknownKeys();
  const account = section.value('account');
  if (account === undefined || account === '') section.complain(undefined, '"account" is missing');
  const path = section.path('token_path', 'required');
  const minLifetime = section.seconds('min_lifetime');
  const scope = scopeOfSection(section, mode);
  const inPlace = section.flag('in_place');
  if (account === undefined || path === undefined) return undefined;
  const audience = section.value('audience');
  const asked = {
    account: account as AccountName,
    audience: audience === undefined || audience === '' ? { audiences: [] } : rawAudienceOf(audience),
    scope,
  };
  const wish = {
    name: section.name as WishName,
    at: section.at,
    ...asked,
    ...(minLifetime ? { minLifetime: seconds(minLifetime) } : {}),
    freshness: minLifetime === undefined ? ('each-pass' as const) : ('due-point' as const),
    targets: [fileTarget(path, { existing: 'keep', inPlace })],
    fingerprint: wishFingerprint(asked),
  };
  return { wish, section: section.id, accountAt: section.valueAt('account') };
}

/**
 * OSG's renewer sends the text as it is, so only blanks separate scopes, and a comma belongs to one (RFC 6749 section 3.3
 * allows it). oidc-agent is always asked with a scope, a single blank if there is none, so that it does not add its own.
 */
function scopeOfSection(section: IniSectionReader, mode: 'oidc' | 'client-credentials'): ScopeWish {
  const scopes = (section.value('scope') ?? '').split(/\s+/).filter((word) => word !== '') as Scope[];
  if (scopes.length === 0) return { kind: mode === 'oidc' ? 'blank' : 'absent' };
  const scope = { kind: 'scopes', scopes } as const;
  const unfit = unfitScope(scope);
  if (unfit !== undefined) section.complain('scope', `"scope" ${unfit}`);
  if (scopes.some((one) => one.includes(','))) {
    section.warn(
      'scope',
      '"scope" has a comma, which is sent as a part of the scope; between two scopes write a blank',
    );
  }
  return scope;
}

async function warnOfReadableSecret(
  world: World,
  file: string,
  { accounts }: Sections,
  findings: Findings,
): Promise<void> {
  const holder = [...accounts.values()].find((section) => section.has('client_secret'));
  if (holder === undefined) return;
  const facts = await world.files.facts(file).catch(() => undefined);
  if (facts === undefined || (facts.mode & 0o004) === 0) return;
  const mode = facts.mode.toString(8).padStart(4, '0');
  findings.warning(
    holder.keyAt('client_secret'),
    `this file holds a client secret and everybody can read it (mode ${mode}); chmod 0640 ${file}`,
  );
}
