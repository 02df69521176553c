import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { Fault } from '../fault/fault.ts';
import { type Epoch, epoch } from '../token/time.ts';
import type { FileFacts, Files } from '../world/files.ts';

/** A certificate chain and its private key, in PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
}

export type TlsLook =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'taken'; readonly pair: TlsPair; readonly expiresAt: Epoch }
  /** What lies there now cannot be used; the pair before it stays in use. Said once for each change. */
  | { readonly kind: 'kept'; readonly reason: string };

const largest = 1024 * 1024;

/**
 * A certificate and its key, as files that something else replaces (certbot, puppet). Both are read again when either changes,
 * and only a pair that fits is taken: between two renames there is a moment where it does not.
 */
export class TlsFiles {
  readonly #files: Files;
  readonly paths: TlsPaths;
  #seen: string;
  #pair: TlsPair;
  #expiresAt: Epoch;

  private constructor(files: Files, paths: TlsPaths, seen: string, pair: TlsPair) {
    this.#files = files;
    this.paths = paths;
    this.#seen = seen;
    this.#pair = pair;
    this.#expiresAt = expiryOf(pair);
  }

  /** Throws Fault `config-invalid` when the pair cannot be read or used, and when everybody may read the key. */
  static async open(files: Files, paths: TlsPaths): Promise<TlsFiles> {
    const seen = await fingerprint(files, paths);
    return new TlsFiles(files, paths, seen, await readPair(files, paths));
  }

  get pair(): TlsPair {
    return this.#pair;
  }

  /** The end of the certificate in use. */
  get expiresAt(): Epoch {
    return this.#expiresAt;
  }

  async look(): Promise<TlsLook> {
    const seen = await fingerprint(this.#files, this.paths);
    if (seen === this.#seen) return { kind: 'unchanged' };
    this.#seen = seen;
    try {
      this.#pair = await readPair(this.#files, this.paths);
      this.#expiresAt = expiryOf(this.#pair);
      return { kind: 'taken', pair: this.#pair, expiresAt: this.#expiresAt };
    } catch (thrown) {
      if (thrown instanceof Fault) return { kind: 'kept', reason: thrown.message };
      throw thrown;
    }
  }
}

async function fingerprint(files: Files, { cert, key }: TlsPaths): Promise<string> {
  const facts = await Promise.all([cert, key].map((path) => files.facts(path).catch(() => undefined)));
  const mark = (one: FileFacts | undefined) => `${one?.device}:${one?.inode}:${one?.changedAt}:${one?.size}`;
  return facts.map(mark).join(' ');
}

async function readPair(files: Files, paths: TlsPaths): Promise<TlsPair> {
  const pair = { cert: await read(files, 'certificate', paths.cert), key: await read(files, 'key', paths.key) };
  if (((await files.facts(paths.key))?.mode ?? 0) & 0o007) {
    throw new Fault('config-invalid', `the TLS key ${paths.key} can be read by everybody on this machine`, {
      hint: `chmod 0600 ${paths.key}`,
    });
  }
  try {
    createSecureContext(pair);
    expiryOf(pair);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    const why = code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' ? 'they do not belong together' : code;
    throw new Fault('config-invalid', `the certificate ${paths.cert} and the key ${paths.key} cannot be used: ${why}`, {
      hint: 'both are PEM; the certificate of the server comes first, those that lead to its CA follow',
    });
  }
  return pair;
}

async function read(files: Files, what: string, path: string): Promise<string> {
  const text = await files.readText(path, largest).catch((thrown: NodeJS.ErrnoException) => {
    throw new Fault('config-invalid', `the TLS ${what} ${path} could not be read (${thrown.code ?? 'unknown'})`);
  });
  if (text === undefined) throw new Fault('config-invalid', `there is no TLS ${what} at ${path}`);
  return text;
}

const expiryOf = ({ cert }: TlsPair): Epoch => epoch(Date.parse(new X509Certificate(cert).validTo));
