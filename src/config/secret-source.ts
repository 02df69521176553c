import { basename, dirname } from 'node:path/posix';
import { asFault, Fault } from '../fault/fault.ts';
import { hasControlCharacter } from '../token/control-character.ts';
import { Secret, type SecretKind } from '../token/secret.ts';
import { seconds } from '../token/time.ts';
import type { Directory, FileFacts } from '../world/files.ts';
import { runTrusted } from '../world/trusted-command.ts';
import type { World } from '../world/world.ts';
import type { SecretRef } from './config.ts';

const maxBytes = 64 * 1024;

/**
 * Reads a secret where the configuration says it lies: the first line, or all of a private key. Throws `secret-unreadable`,
 * `command-untrusted` or `command-failed`, which name the place and never the content.
 */
export async function readSecret<K extends SecretKind>(world: World, ref: SecretRef, kind: K): Promise<Secret<K>> {
  if (ref.kind === 'inline') return new Secret(kind, ref.secret.reveal());
  const { text, place } = await textOf(world, ref);
  if (ref.kind === 'file' && ref.member !== undefined) return new Secret(kind, memberOf(text, ref.member, place));
  const content = kind === 'private_key' ? text : kind === 'client_secret' ? upToControl(text) : firstLine(text);
  if (content === '')
    throw new Fault('secret-unreadable', `${place} is empty`, { hint: 'the first line must be the secret' });
  return new Secret(kind, content);
}

/**
 * Other programs write such a file, and users have a say in what it holds: only a text that can be sent is taken. What is no JSON at all is
 * the secret itself.
 */
function memberOf(text: string, member: string, place: string): string {
  const json = parsed(text);
  if (json.kind === 'broken' && text.trimStart().startsWith('{')) {
    throw new Fault('secret-unreadable', `${place} is not JSON`);
  }
  const { value } = json;
  const isObject = typeof value === 'object' && value !== null;
  const found =
    json.kind === 'broken' ? firstLine(text) : isObject && Object.hasOwn(value, member) ? value[member as never] : '';
  if (typeof found === 'string' && found !== '' && !hasControlCharacter(found)) return found;
  throw new Fault('secret-unreadable', `${place} has no "${member}" that is a text of one line`);
}

function parsed(text: string): { readonly kind: 'json' | 'broken'; readonly value?: unknown } {
  try {
    return { kind: 'json', value: JSON.parse(text) };
  } catch {
    return { kind: 'broken' };
  }
}

/** Without its line end, also one from Windows: a secret that ends in a carriage return is a file that was edited there. */
const firstLine = (text: string): string => (text.split('\n', 1)[0] ?? '').replace(/\r$/, '');

/** HTCondor takes a client secret up to the first control character: a file that works there works here. */
const upToControl = (text: string): string => text.split(/[^ -~\u0080-\uffff]/, 1)[0] ?? '';

async function textOf(
  world: World,
  ref: Exclude<SecretRef, { kind: 'inline' }>,
): Promise<{ text: string; place: string }> {
  switch (ref.kind) {
    case 'file': {
      const text = await (ref.member === undefined ? readSecretFile(world, ref.path) : readHeldFile(world, ref.path));
      return { text, place: `the secret file ${ref.path}` };
    }
    case 'credential':
      return { text: await readCredential(world, ref.name), place: `the systemd credential ${ref.name}` };
    case 'command': {
      const text = await runTrusted(world, { argv: ref.argv, timeout: seconds(30), maxOutput: maxBytes });
      return { text, place: `the output of ${ref.argv[0]}` };
    }
  }
}

async function readSecretFile(world: World, path: string): Promise<string> {
  const facts = await attempt(world.files.facts(path), path);
  if (facts === undefined) throw new Fault('secret-unreadable', `the secret file ${path} does not exist`);
  refuseOpen(path, facts);
  return readAll(world, path);
}

function refuseOpen(path: string, facts: FileFacts): void {
  if (facts.type !== 'file') throw new Fault('secret-unreadable', `the secret file ${path} is not a file`);
  if ((facts.mode & 0o007) !== 0) {
    const mode = facts.mode.toString(8).padStart(4, '0');
    throw new Fault('secret-unreadable', `the secret file ${path} is open to everybody (mode ${mode})`, {
      hint: `chmod o= ${quoted(path)}`,
    });
  }
}

/** In a directory that others write to: neither it nor the file is reached through a link. */
async function readHeldFile(world: World, path: string): Promise<string> {
  return await attempt(
    inDirectory(world, dirname(path), async (directory) => {
      const file = await directory.open(basename(path), 'read');
      try {
        refuseOpen(path, await file.facts());
        const bytes = await file.read(maxBytes);
        if (bytes !== undefined) return bytes.toString();
        throw new Fault('secret-unreadable', `the secret file ${path} is larger than ${maxBytes} bytes`);
      } finally {
        await file.close();
      }
    }),
    path,
  );
}

async function inDirectory<T>(world: World, path: string, work: (directory: Directory) => Promise<T>): Promise<T> {
  const directory = await world.files.openDirectory(path, 'pass');
  try {
    return await work(directory);
  } finally {
    await directory.close();
  }
}

/** systemd keeps credentials in a directory of its own that only the service can see, so modes are its business. */
async function readCredential(world: World, name: string): Promise<string> {
  const directory = world.env['CREDENTIALS_DIRECTORY'];
  if (directory === undefined) {
    throw new Fault(
      'secret-unreadable',
      `the systemd credential ${name} is named, but tokeep was not started with credentials`,
      {
        hint: `start it by its unit, with LoadCredential=${name}:PATH`,
      },
    );
  }
  if (name.includes('/') || name.startsWith('.'))
    throw new Fault('secret-unreadable', `${name} is not the name of a systemd credential`);
  return readAll(world, `${directory}/${name}`);
}

async function readAll(world: World, path: string): Promise<string> {
  const text = await attempt(world.files.readText(path, maxBytes), path);
  if (text === undefined) throw new Fault('secret-unreadable', `the secret file ${path} does not exist`);
  return text;
}

async function attempt<T>(work: Promise<T>, path: string): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Fault('secret-unreadable', `the secret file ${path} does not exist`);
    if (code === 'ELOOP' || code === 'ENOTDIR') {
      throw new Fault(
        'secret-unreadable',
        `the way to the secret file ${path} has a link in it, which is not followed`,
      );
    }
    if (code === 'EACCES') {
      throw new Fault('secret-unreadable', `the secret file ${path} may not be read by the user that tokeep runs as`, {
        hint: `chgrp the file to that user's group and chmod it 0640`,
      });
    }
    if (code === 'EFBIG')
      throw new Fault('secret-unreadable', `the secret file ${path} is larger than ${maxBytes} bytes`);
    throw new Fault(
      'secret-unreadable',
      `the secret file ${path} could not be read (${asFault(thrown, 'reading').message})`,
    );
  }
}

const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
