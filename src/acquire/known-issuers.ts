import { agentDirectory } from '../config/oidc-agent-home.ts';
import { Fault } from '../fault/fault.ts';
import { type ClientSecret, Secret } from '../token/secret.ts';
import type { World } from '../world/world.ts';

/** A client that oidc-agent shares among all its users, for issuers where nobody can register one. */
export interface PublicClient {
  readonly clientId: string;
  readonly clientSecret: ClientSecret | undefined;
  readonly scope: string | undefined;
}

/** An issuer as oidc-agent's settings know it. */
export interface KnownIssuer {
  /** Exactly as written there. */
  readonly issuer: string;
  readonly deviceAuthorizationEndpoint: string | undefined;
  readonly publicClient: PublicClient | undefined;
  /** Takes `audience` instead of RFC 8707's `resource`. */
  readonly legacyAudience: boolean;
  /** Where a person registers a client by hand. */
  readonly registerAt: string | undefined;
  /** Accounts that the user's agent has for it. */
  readonly accounts: readonly string[];
}

export interface KnownIssuers {
  readonly issuers: readonly KnownIssuer[];
  /** Files that were left out, each with a sentence saying why. */
  readonly left: readonly Fault[];
}

type Json = Readonly<Record<string, unknown>>;

const largestFile = 4 * 1024 * 1024;
export const systemDirectory = '/etc/oidc-agent';

/**
 * The issuers in oidc-agent's `issuer.config` and `issuer.config.d`, of the system and of the user; what the user wrote counts
 * more, member by member (RFC 7396). A file that cannot be read does not hide the others.
 */
export async function knownIssuers(world: World, system: string = systemDirectory): Promise<KnownIssuers> {
  const merged = new Map<string, Json>();
  const left: Fault[] = [];
  for (const path of await places(world, system)) {
    try {
      const text = await world.files.readText(path, largestFile);
      for (const entry of text === undefined ? [] : entriesOf(text, path)) {
        const name = textOf(entry, 'issuer') ?? textOf(entry, 'issuer_url');
        if (name !== undefined) merged.set(name, mergePatch(merged.get(name), entry) as Json);
      }
    } catch (thrown) {
      left.push(thrown instanceof Fault ? thrown : unreadable(path, thrown));
    }
  }
  return { issuers: [...merged].map(([name, entry]) => issuerOf(name, entry)), left };
}

/** From the weakest to the strongest. */
async function places(world: World, system: string): Promise<readonly string[]> {
  const own = await agentDirectory(world);
  const found: string[] = [];
  for (const directory of own === undefined ? [system] : [system, own]) {
    found.push(...(await filesIn(world, `${directory}/issuer.config.d`)), `${directory}/issuer.config`);
  }
  return found;
}

async function filesIn(world: World, path: string): Promise<readonly string[]> {
  try {
    await using directory = closing(await world.files.openDirectory(path));
    const names = await directory.list();
    return names
      .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
      .toSorted()
      .map((name) => `${path}/${name}`);
  } catch {
    return []; // Absent, or not ours to read: then there is nothing to offer from it.
  }
}

const closing = <T extends { close(): Promise<void> }>(held: T): T & AsyncDisposable =>
  Object.assign(held, { [Symbol.asyncDispose]: () => held.close() });

/** JSON with comments on lines of their own, as oidc-agent 5 writes it, or a line `issuer [account]` for each, as before. */
function entriesOf(text: string, path: string): readonly Json[] {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*#/.test(line));
  const plain = lines.join('\n').trim();
  if (plain === '') return [];
  if (!/^[[{]/.test(plain)) return lines.flatMap(entryOfLine);
  let value: unknown;
  try {
    value = JSON.parse(plain);
  } catch {
    throw new Fault('config-invalid', `left out ${path}: it is not JSON, apart from comments on lines of their own`);
  }
  return (Array.isArray(value) ? value : [value]).filter(isObject);
}

function entryOfLine(line: string): readonly Json[] {
  const [issuer, account] = line.trim().split(/\s+/);
  if (issuer === undefined || !/^https?:\/\//.test(issuer)) return [];
  return [account === undefined ? { issuer } : { issuer, accounts: [account] }];
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7396 section 2. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function issuerOf(issuer: string, entry: Json): KnownIssuer {
  const accounts = entry['accounts'];
  return {
    issuer,
    deviceAuthorizationEndpoint: textOf(entry, 'device_authorization_endpoint'),
    publicClient: publicClientOf(entry['pubclient']),
    legacyAudience: ['1', 'true'].includes(String(entry['legacy_aud_mode'])),
    registerAt: textOf(entry, 'register'),
    accounts: Array.isArray(accounts) ? accounts.filter((name) => typeof name === 'string') : [],
  };
}

function publicClientOf(value: unknown): PublicClient | undefined {
  const clientId = isObject(value) ? textOf(value, 'client_id') : undefined;
  if (!isObject(value) || clientId === undefined) return undefined;
  const secret = textOf(value, 'client_secret');
  const clientSecret = secret === undefined ? undefined : new Secret('client_secret', secret);
  return { clientId, clientSecret, scope: textOf(value, 'scope') };
}

function textOf(entry: Json, key: string): string | undefined {
  const value = entry[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function unreadable(path: string, thrown: unknown): Fault {
  const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
  return new Fault('config-invalid', `left out ${path}: it could not be read (${code})`, { cause: thrown });
}
