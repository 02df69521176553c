import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseDuration } from '../config/duration.ts';
import { Fault } from '../fault/fault.ts';
import { openSealer } from '../store/seal-key.ts';
import { storedToken } from '../store/stored-token.ts';
import type { WishName } from '../token/names.ts';
import type { AccessToken } from '../token/secret.ts';
import { between, epoch, type Millis, minutes } from '../token/time.ts';
import { realClock } from '../world/real-clock.ts';
import { realFiles } from '../world/real-files.ts';
import { realRandom } from '../world/real-random.ts';
import type { World } from '../world/world.ts';
import { isSeen, seenName } from './config-seen.ts';
import { sealKeyFile, usualStateDir } from './state-place.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** `get` as it is asked for a thousand times a day; every other form of it goes the whole way. */
interface PlainGet {
  readonly name: string;
  readonly needs: Millis;
  readonly config: string | undefined;
  readonly state: string | undefined;
}

/** As `getToken` of renew/ has it. */
const leastLife = minutes(1);

/**
 * The token, if it is fresh and the configuration is the one that the store has taken in; read without loading what parses,
 * renews or writes. Undefined in every other case, and when anything at all is odd: the whole way says what it is.
 */
export async function fastGet(args: readonly string[], env: Env): Promise<AccessToken | undefined> {
  const plain = plainGet(args);
  if (plain === undefined) return undefined;
  const uid = process.geteuid?.() ?? -1;
  const stateDir = plain.state ?? usualStateDir(env, uid);
  try {
    if (!isOurs(stateDir, uid)) return undefined;
    if (!isSeen(readFileSync(join(stateDir, seenName), 'utf8'), plain.config, env)) return undefined;
    const found = storedToken(join(stateDir, 'state.db'), plain.name as WishName);
    if (found === undefined || between(epoch(Date.now()), found.expiresAt) < plain.needs) return undefined;
    const keyFile = sealKeyFile(env, uid, stateDir);
    // A key that is missing would be made; that is for the whole way to judge.
    if (env['CREDENTIALS_DIRECTORY'] === undefined && !existsSync(keyFile)) return undefined;
    return found.open(await openSealer(worldOfFiles(env, uid), { keyFile }));
  } catch {
    return undefined;
  }
}

const valued = new Set(['--config', '--state', '--min-lifetime']);
const ignored = new Set(['--quiet', '--no-color']);

function plainGet(args: readonly string[]): PlainGet | undefined {
  const words: string[] = [];
  const options: Record<string, string> = {};
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    const value = args[at + 1];
    if (valued.has(word) && value !== undefined && options[word] === undefined) {
      options[word] = value;
      at += 1;
    } else if (word.startsWith('-')) {
      if (!ignored.has(word)) return undefined;
    } else words.push(word);
  }
  const [command, name, ...rest] = words;
  if (command !== 'get' || name === undefined || rest.length > 0) return undefined;
  const length = options['--min-lifetime'];
  const needs = length === undefined ? leastLife : parseDuration(length);
  if (needs === undefined) return undefined;
  return { name, needs, config: options['--config'], state: options['--state'] };
}

function isOurs(stateDir: string, uid: number): boolean {
  const facts = statSync(stateDir);
  return facts.isDirectory() && facts.uid === uid && (facts.mode & 0o077) === 0;
}

/** The world without network and commands, whose modules take longer to load than all the rest. */
function worldOfFiles(env: Env, uid: number): World {
  const none = () => Promise.reject(new Fault('bug', 'the quick way of get asked for more than files'));
  return {
    clock: realClock,
    files: realFiles,
    random: realRandom,
    trees: { names: none, read: none, stamps: none },
    watches: { open: () => ({ add: () => 'refused', drop() {}, settled: none, close() {} }) },
    http: { send: none, close: async () => {} },
    mailer: { send: none },
    processes: { run: none },
    sockets: { ask: none },
    env,
    user: { uid, gid: process.getegid?.() ?? -1 },
  };
}
