import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { install, mayInstall } from '../test/interop/packages.ts';
import { fileBeside } from './programs.ts';

const run = promisify(execFile);

export interface LibScitokens {
  readonly release: string;
  /** Tokens of the file verified per second of processor time. */
  rate(tokensFile: string, seconds: number): Promise<number>;
}

export interface KnownIssuer {
  readonly issuer: string;
  readonly keySet: string;
}

/**
 * libscitokens of this machine, with a program of ours around it (scitokens-deserialize.c) and the keys of the issuer in its cache. As root
 * on Debian what is missing is installed; elsewhere the answer is why it is not there.
 */
export async function libScitokens(directory: string, known: KnownIssuer): Promise<LibScitokens | string> {
  const missing = missingPackages();
  if (missing.length > 0) {
    if (!mayInstall()) return `missing here: ${missing.join(' ')}`;
    const outcome = await install(missing);
    if (outcome.kind === 'failed') return outcome.why;
  }
  const program = join(directory, 'scitokens-deserialize');
  const source = fileBeside('scitokens-deserialize.c');
  await run('gcc', ['-O2', '-Wall', '-Werror', '-o', program, source, '-lSciTokens']);
  const cacheHome = join(directory, 'cache');
  seedKeyCache(cacheHome, known);
  const { stdout } = await run('dpkg-query', ['-W', '-f', `\${Version}`, 'libscitokens-dev']).catch(() => ({
    stdout: '',
  }));
  return {
    release: /^[\d.]+/.exec(stdout)?.[0] ?? 'of unknown release',
    async rate(tokensFile, seconds) {
      const env = { ...process.env, XDG_CACHE_HOME: cacheHome };
      const { stdout } = await run(program, [tokensFile, String(seconds)], { env });
      return Number(stdout);
    },
  };
}

const missingPackages = (): readonly string[] => [
  ...(existsSync('/usr/bin/gcc') ? [] : ['gcc', 'libc6-dev']),
  ...(existsSync('/usr/include/scitokens/scitokens.h') ? [] : ['libscitokens-dev']),
];

/** As libscitokens itself writes it; `next_update` and `expires` are far away, so that it never asks anybody. */
function seedKeyCache(cacheHome: string, { issuer, keySet }: KnownIssuer): void {
  mkdirSync(join(cacheHome, 'scitokens'), { recursive: true, mode: 0o700 });
  const cache = new DatabaseSync(join(cacheHome, 'scitokens/scitokens_cpp.sqllite'));
  try {
    cache.exec('CREATE TABLE IF NOT EXISTS keycache (issuer text UNIQUE PRIMARY KEY NOT NULL, keys text NOT NULL)');
    const later = Math.floor(Date.now() / 1000) + 3 * 86_400;
    const keys = JSON.stringify({ jwks: JSON.parse(keySet), next_update: later, expires: later });
    cache.prepare('INSERT OR REPLACE INTO keycache VALUES (?, ?)').run(issuer, keys);
  } finally {
    cache.close();
  }
}
