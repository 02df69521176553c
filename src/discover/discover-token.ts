import { Fault } from '../fault/fault.ts';
import { type AccessToken, Secret } from '../token/secret.ts';
import type { Files } from '../world/files.ts';
import { discoveryName, fallbackPlace } from './places.ts';
import { readTokenFile } from './read-token-file.ts';
import { tokenText } from './token-text.ts';

export type DiscoveryStep = 'BEARER_TOKEN' | 'BEARER_TOKEN_FILE' | 'XDG_RUNTIME_DIR' | '/tmp';

/** One place that was looked at and held no token. */
export interface Looked {
  readonly step: DiscoveryStep;
  readonly path?: string;
  readonly found: 'not set' | 'no file' | 'empty';
}

export type Discovered =
  | {
      readonly kind: 'found';
      readonly token: AccessToken;
      readonly step: DiscoveryStep;
      readonly path?: string;
      /** Sentences about what other programs would refuse, such as a file that others may read. */
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'none'; readonly looked: readonly Looked[] };

export interface DiscoveryOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: Files;
  /** The effective user id; the default places carry it in their name. */
  readonly uid: number;
  /** Stop where other clients would: at a file that group or others may use. */
  readonly strict?: boolean;
}

interface Place {
  readonly step: DiscoveryStep;
  readonly path: string | undefined;
  /** A default place lies where others may have prepared something; a path that was given is the giver's business. */
  readonly guarded: boolean;
}

/**
 * Finds the token of this process by WLCG bearer token discovery; the order and the open questions are in README.md.
 * Throws `discovery-invalid`, naming step and path but never the content, where a place holds something that is no token.
 *
 *     const found = await discoverToken({ env: world.env, files: world.files, uid: world.user.uid });
 */
export async function discoverToken(options: DiscoveryOptions): Promise<Discovered> {
  const { env } = options;
  const looked: Looked[] = [];
  const given = fromVariable(env['BEARER_TOKEN']);
  if (typeof given !== 'string') return { kind: 'found', token: given, step: 'BEARER_TOKEN', warnings: [] };
  looked.push({ step: 'BEARER_TOKEN', found: given });
  for (const place of places(options)) {
    const { step, path } = place;
    if (path === undefined) {
      looked.push({ step, found: 'not set' });
      continue;
    }
    const result = await fromFile(options, place, path);
    if (typeof result !== 'string') return { kind: 'found', step, path, ...result };
    looked.push({ step, path, found: result });
  }
  return { kind: 'none', looked };
}

function fromVariable(value: string | undefined): AccessToken | 'not set' | 'empty' {
  if (value === undefined || value === '') return 'not set';
  const judged = tokenText(value);
  switch (judged.kind) {
    case 'token':
      return new Secret('access_token', judged.text);
    case 'empty':
      return 'empty';
    case 'invalid':
      throw new Fault('discovery-invalid', `the variable BEARER_TOKEN holds no token: ${judged.why}`, {
        hint: 'set it right, or unset BEARER_TOKEN to look on in the files',
      });
  }
}

function places({ env, uid }: DiscoveryOptions): readonly Place[] {
  const runtime = env['XDG_RUNTIME_DIR'];
  const file = env['BEARER_TOKEN_FILE'];
  return [
    { step: 'BEARER_TOKEN_FILE', path: file === '' ? undefined : file, guarded: false },
    { step: 'XDG_RUNTIME_DIR', path: runtime ? `${runtime}/${discoveryName(uid)}` : undefined, guarded: true },
    { step: '/tmp', path: fallbackPlace(uid), guarded: true },
  ];
}

type FileResult = { readonly token: AccessToken; readonly warnings: readonly string[] } | 'no file' | 'empty';

async function fromFile(options: DiscoveryOptions, place: Place, path: string): Promise<FileResult> {
  const where = `${path} (${place.step === '/tmp' ? 'the default place' : place.step})`;
  const content = await readTokenFile(options, { path, where, guarded: place.guarded });
  if (content === undefined) return 'no file';
  const judged = tokenText(content.text);
  switch (judged.kind) {
    case 'token':
      return { token: new Secret('access_token', judged.text), warnings: content.warnings };
    case 'empty':
      return 'empty';
    case 'invalid':
      throw new Fault('discovery-invalid', `no token in ${where}: ${judged.why}`);
  }
}
