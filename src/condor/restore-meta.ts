import { readSecret } from '../config/secret-source.ts';
import { asFault, type Fault } from '../fault/fault.ts';
import type { ClientSecret } from '../token/secret.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { formatMetaFile, type MetaFile } from './meta-file.ts';
import type { CredmonSettings, OAuth2Provider } from './settings.ts';
import { type LoneMeta, type StoredTop, storedTops } from './stored-tops.ts';

/** What became of the `.meta` file of one credential; `path` is that file, or what could not be read. */
export type MetaOutcome =
  /** With `dryRun`: it would be. */
  | { readonly kind: 'written' | 'removed'; readonly path: string }
  | { readonly kind: 'unchanged'; readonly path: string }
  /** `why` goes on after the path. */
  | { readonly kind: 'left'; readonly path: string; readonly why: string }
  | { readonly kind: 'failed'; readonly path: string; readonly fault: Fault };

export interface MetaOptions {
  readonly dryRun: boolean;
}

type Settings = Pick<CredmonSettings, 'directory' | 'specialNames' | 'kindOf' | 'oauth2'>;
type Meta = Extract<MetaFile, { kind: 'meta' }>;

/**
 * Writes the `.meta` files without which the shipped credmon refreshes nothing, before it takes over: the client of each OAuth2 credential,
 * with its secret, as the configuration has it. What is there and says the same stays as it is, so that it may be done twice. Throws a
 * Fault if the credential directory cannot be read; one credential that fails stops no other.
 */
export function restoreMeta(world: World, settings: Settings, options: MetaOptions): Promise<readonly MetaOutcome[]> {
  return ofEach(world, settings, options, async (stored, restoring) =>
    stored.kind === 'top' ? await restored(world, stored, restoring) : undefined,
  );
}

/** In the order of the directory; what failed before anything could be done stands among the outcomes. */
async function ofEach(
  world: World,
  settings: Settings,
  { dryRun }: MetaOptions,
  work: (stored: StoredTop | LoneMeta, restoring: Restoring) => Promise<MetaOutcome | undefined>,
): Promise<readonly MetaOutcome[]> {
  const restoring = { settings, clients: new Clients(world, settings), dryRun };
  const outcomes: MetaOutcome[] = [];
  for await (const stored of storedTops(world, settings)) {
    const outcome = stored.kind === 'failed' ? stored : await work(stored, restoring);
    if (outcome !== undefined) outcomes.push(outcome);
  }
  return outcomes;
}

interface Restoring extends MetaOptions {
  readonly settings: Settings;
  readonly clients: Clients;
}

async function restored(
  world: World,
  stored: StoredTop,
  { settings, clients, dryRun }: Restoring,
): Promise<MetaOutcome | undefined> {
  const path = metaPath(settings, stored);
  const left = whyLeft(stored, settings);
  if (left !== undefined) return left === 'others' ? undefined : { kind: 'left', path, why: left };
  try {
    const meta = await clients.metaOf(stored.credential.provider);
    if (meta === undefined) return { kind: 'left', path, why: noClient(stored.credential.provider) };
    const there = stored.meta;
    if (there?.facts.mode === 0o400 && sameClient(there.file, meta) && there.file.useRefreshToken) {
      return { kind: 'unchanged', path };
    }
    if (!dryRun) await write(world, stored, meta);
    return { kind: 'written', path };
  } catch (thrown) {
    return { kind: 'failed', path, fault: asFault(thrown, `writing ${path}`) };
  }
}

/** Why there is nothing to write; `others`: it is no matter of the shipped OAuth2 credmon. */
function whyLeft({ credential, top }: StoredTop, settings: Settings): string | undefined {
  if (top.kind === 'mytoken') return 'is not written: the shipped credmon knows no mytokens';
  if (settings.kindOf(credential.provider, 'oauth2') !== 'oauth2') return 'others';
  if (top.kind === 'handle') return 'is not written: the shipped credmon knows no handles without a refresh token';
  if (top.kind === 'unreadable') return `is not written: the .top file beside it ${top.why}`;
  return top.kind === 'oauth2' ? undefined : 'others';
}

const noClient = (provider: string): string =>
  `is not written: ${provider}_CLIENT_ID is not in HTCondor's configuration`;

/** As the `.top` file in owner and group, so that whoever may read one may read the other; only root can give a file away. */
async function write(world: World, { directory, credential, facts }: StoredTop, meta: Meta): Promise<void> {
  await replaceFile(directory, `${credential.name}.meta`, {
    bytes: Buffer.from(formatMetaFile(meta)),
    temporary: `.${credential.name.slice(0, 64)}.tokeep-${world.random.id()}`,
    mode: 0o400,
    ...(world.user.uid === 0 ? { dress: (file) => file.chown(facts.owner, facts.group) } : {}),
    keeps: 'durable',
  });
}

/**
 * Takes away `.meta` files when all that they say stands in HTCondor's configuration as well: a copy of the client's secret in each user's
 * directory helps only thieves, also where the login it belonged to was deleted. What says more (another client, or that a login brought no
 * refresh token) stays.
 */
export function dropMeta(world: World, settings: Settings, options: MetaOptions): Promise<readonly MetaOutcome[]> {
  return ofEach(world, settings, options, dropped);
}

async function dropped(
  stored: StoredTop | LoneMeta,
  { settings, clients, dryRun }: Restoring,
): Promise<MetaOutcome | undefined> {
  const { credential, directory } = stored;
  const file = stored.kind === 'top' ? stored.meta?.file : stored.file;
  if (file === undefined || settings.kindOf(credential.provider, 'oauth2') !== 'oauth2') return undefined;
  const path = metaPath(settings, stored);
  try {
    const ours = await clients.metaOf(credential.provider);
    if (ours === undefined || !sameClient(file, ours)) {
      return { kind: 'left', path, why: "stays: it says something else than HTCondor's configuration" };
    }
    if (stored.kind === 'top' && stored.top.kind !== 'oauth2' && !file.useRefreshToken) {
      return { kind: 'left', path, why: 'stays: it says that the login brought no refresh token' };
    }
    if (!dryRun) {
      await directory.remove(`${credential.name}.meta`);
      await directory.sync();
    }
    return { kind: 'removed', path };
  } catch (thrown) {
    return { kind: 'failed', path, fault: asFault(thrown, `removing ${path}`) };
  }
}

const metaPath = ({ directory }: Settings, { credential: { user, name } }: Pick<StoredTop, 'credential'>): string =>
  `${directory}/${user}/${name}.meta`;

function sameClient(found: MetaFile, { clientId, tokenUrl, clientSecret }: Meta): found is Meta {
  if (found.kind !== 'meta' || found.clientId !== clientId || found.tokenUrl !== tokenUrl) return false;
  return clientSecret === undefined
    ? found.clientSecret === undefined
    : found.clientSecret?.equals(clientSecret) === true;
}

/** The client of each provider, whose secret is read once. */
class Clients {
  readonly #world: World;
  readonly #settings: Settings;
  readonly #known = new Map<string, Promise<Meta | undefined>>();

  constructor(world: World, settings: Settings) {
    this.#world = world;
    this.#settings = settings;
  }

  /** Undefined where the configuration has no such client. */
  metaOf(provider: string): Promise<Meta | undefined> {
    const known = this.#known.get(provider) ?? this.#read(this.#settings.oauth2(provider));
    this.#known.set(provider, known);
    return known;
  }

  async #read(provider: OAuth2Provider | undefined): Promise<Meta | undefined> {
    if (provider === undefined) return undefined;
    const { clientId, tokenUrl, clientSecret: ref } = provider;
    const clientSecret: ClientSecret | undefined =
      ref === undefined ? undefined : await readSecret(this.#world, ref, 'client_secret');
    const secret = clientSecret === undefined ? {} : { clientSecret };
    return { kind: 'meta', clientId, tokenUrl, useRefreshToken: true, ...secret };
  }
}
