import type { Readable } from 'node:stream';
import { type ExitCode, exit } from '../fault/codes.ts';
import { asFault, Fault } from '../fault/fault.ts';
import { mintIdtoken, usualIdtokenLife } from '../mint/idtoken.ts';
import { type PoolKey, type PoolKeyPlace, passwordDirectory, poolKeyId, readPoolKey } from '../mint/idtoken-key.ts';
import { type IdtokenFacts, isSignedWith, readIdtoken } from '../mint/idtoken-look.ts';
import { printable, span, timestamp } from '../observe/printable.ts';
import { between, type Epoch, type Millis } from '../token/time.ts';
import type { Context } from './context.ts';
import { writeTokenFile } from './write-token-file.ts';

interface KeyOptions {
  readonly keyFile?: string;
  readonly keyId?: string;
  readonly passwordDirectory?: string;
}

export interface CreateOptions extends KeyOptions {
  readonly identity: string;
  readonly trustDomain: string;
  readonly scope?: readonly string[];
  readonly lifetime?: Millis;
  readonly endless?: true;
  readonly output?: string;
}

export interface InspectOptions extends KeyOptions {
  readonly tokenFile?: string;
}

/** `tokeep idtoken create`. */
export async function createIdtoken(context: Context, options: CreateOptions): Promise<ExitCode> {
  const { world } = context;
  const { identity, trustDomain, scope: scopes = [], output } = options;
  const lifetime = options.endless ? 'endless' : (options.lifetime ?? usualIdtokenLife);
  const key = await readPoolKey(world, keyPlace(options, options.keyId ?? poolKeyId));
  const { now } = world.clock;
  const minted = mintIdtoken(key, { trustDomain, identity, scopes, lifetime }, { now: now(), random: world.random });
  for (const remark of minted.remarks) await context.warn(`tokeep: ${printable(remark)}`);
  if (output !== undefined) {
    await writeTokenFile(world, output, minted.token);
    await context.say(`wrote the token of ${printable(identity)} to ${printable(output)}`);
  }
  if (context.options.json) {
    const { jti, expiresAt } = minted;
    const known = { keyId: key.id, trustDomain, identity, scopes: minted.scopes, jti, expiresAt: written(expiresAt) };
    await context.printJson(output === undefined ? { token: minted.token.reveal(), ...known } : { output, ...known });
  } else if (output === undefined) await context.print(minted.token.reveal());
  return exit.fine;
}

const written = (at: Epoch | undefined): string | null => (at === undefined ? null : timestamp(at));

function keyPlace({ keyFile, passwordDirectory: directory }: KeyOptions, id: string): PoolKeyPlace {
  if (keyFile === undefined) return { kind: 'directory', path: directory ?? passwordDirectory, id };
  if (directory === undefined) return { kind: 'file', path: keyFile, id };
  throw new Fault('usage', '--key-file and --password-directory name two keys; give one of them');
}

/** What the look at the signature came to. */
type SignatureAnswer =
  | { readonly kind: 'good' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'unchecked'; readonly why: string };

interface Seen {
  readonly facts: IdtokenFacts;
  readonly signature: SignatureAnswer;
}

/** `tokeep idtoken inspect`: exit 6 for what no pool would take. */
export async function inspectIdtokens(context: Context, options: InspectOptions): Promise<ExitCode> {
  const lines = (await textOf(context, options)).split('\n').map((line) => line.trim());
  const tokens = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (tokens.length === 0) throw new Fault('token-invalid', 'there is no token');
  const seen: Seen[] = [];
  for (const [index, token] of tokens.entries()) {
    const facts = readIdtoken(token, context.world.clock.now());
    if (facts.kind === 'refused') {
      throw new Fault('token-invalid', `${tokens.length === 1 ? 'the token' : `token ${index + 1}`}: ${facts.why}`);
    }
    seen.push({ facts, signature: await signatureOf(context, options, token, facts) });
  }
  if (context.options.json) await context.printJson(seen.map(documentOf));
  else for (const one of seen) await tell(context, one);
  return seen.every(({ facts, signature }) => facts.faults.length === 0 && signature.kind !== 'wrong')
    ? exit.fine
    : exit.refused;
}

async function signatureOf(
  context: Context,
  options: InspectOptions,
  token: string,
  { keyId }: IdtokenFacts,
): Promise<SignatureAnswer> {
  let key: PoolKey;
  try {
    key = await readPoolKey(context.world, keyPlace(options, options.keyId ?? keyId));
  } catch (thrown) {
    const fault = asFault(thrown, 'reading the signing key');
    if (options.keyFile !== undefined || options.passwordDirectory !== undefined) throw fault;
    return { kind: 'unchecked', why: fault.message };
  }
  return { kind: isSignedWith(token, key) ? 'good' : 'wrong' };
}

function documentOf({ facts, signature }: Seen): object {
  const { kind, issuedAt, expiresAt, jti = null, ...rest } = facts;
  return { ...rest, jti, issuedAt: written(issuedAt), expiresAt: written(expiresAt), signature };
}

async function tell(context: Context, { facts, signature }: Seen): Promise<void> {
  const { paint, world } = context;
  const { keyId, trustDomain, identity, scopes, issuedAt, expiresAt, jti, faults, remarks } = facts;
  const now = world.clock.now();
  const rows: readonly (readonly [string, string])[] = [
    ['identity', identity],
    ['domain', trustDomain],
    ['key', `${keyId}, ${facts.algorithm}`],
    ['scope', scopes.join(' ')],
    ['issued', issuedAt === undefined ? '' : timestamp(issuedAt)],
    ['expires', expiresAt === undefined ? '' : `${timestamp(expiresAt)} (${span(between(now, expiresAt))})`],
    ['id', jti ?? ''],
    ['signature', signatureInWords(signature, keyId)],
  ];
  for (const [name, text] of rows) {
    if (text !== '') await context.print(`${paint.dim(name.padEnd(9))}  ${printable(text)}`);
  }
  for (const remark of [...faults, ...remarks]) await context.print(`${paint.warn('!')} ${printable(remark)}`);
}

function signatureInWords(signature: SignatureAnswer, keyId: string): string {
  switch (signature.kind) {
    case 'good':
      return `made with the key ${keyId}`;
    case 'wrong':
      return `NOT made with the key ${keyId}, so that no pool with this key takes the token`;
    case 'unchecked':
      return `not checked: ${signature.why}`;
  }
}

const largest = 64 * 1024;

async function textOf({ io, world }: Context, { tokenFile }: InspectOptions): Promise<string> {
  if (tokenFile !== undefined && tokenFile !== '-') {
    const text = await world.files.readText(tokenFile, largest).catch((cause: NodeJS.ErrnoException) => {
      throw new Fault('usage', `${tokenFile} could not be read (${cause.code ?? 'it is no text'})`, { cause });
    });
    if (text === undefined) throw new Fault('usage', `there is no file ${tokenFile}`);
    return text;
  }
  if (tokenFile === undefined && !io.stdinGiven) {
    throw new Fault('usage', 'which token? name its file: tokeep idtoken inspect --token-file FILE');
  }
  return await wholeOf(io.stdin);
}

async function wholeOf(stdin: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stdin) {
    parts.push(Buffer.from(part));
    size += part.length;
    if (size > largest) throw new Fault('token-invalid', `standard input has more than ${largest} bytes`);
  }
  return Buffer.concat(parts).toString('utf8');
}
