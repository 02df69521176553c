import { argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { Fault } from '../fault/fault.ts';
import type { Secret } from '../token/secret.ts';
import type { Random } from '../world/random.ts';
import { openLegacyAgentFile } from './oidc-agent-sealing-legacy.ts';

/** The lengths and costs of libsodium's secretbox and interactive Argon2id. Agents from 2.1.0 on read and write nothing else. */
const parameters = '24:16:16:32:1:2:67108864:2';
const nonceLength = 24;
const saltLength = 16;
const tagLength = 16;
const keyLength = 32;

/** An account file, opened: the JSON text and the agent that wrote it. */
export interface OpenedAgentFile {
  readonly text: string;
  /** Such as `5.3.3`; written again, so that the file looks to its agent as before. */
  readonly version: string;
}

const wrongPassword = (): Fault =>
  new Fault('agent-file-invalid', 'the oidc-agent account file does not open with this password', {
    hint: 'give the password that the account was saved with: the first line of the file that oidc-agent uses with --pw-file',
  });

const damaged = (found: string): Fault =>
  new Fault('agent-file-invalid', `this is no oidc-agent account file as agents write them: ${found}`, {
    hint: 'try it with: oidc-gen --print FILE',
  });

/** Opens what oidc-agent 2.1.0 to 5.x writes, and the one-line format before it. Throws Fault `agent-file-invalid`. */
export async function openAgentFile(file: string, password: Secret<'password'>): Promise<OpenedAgentFile> {
  if (file.startsWith('-----BEGIN PGP MESSAGE-----')) {
    throw new Fault(
      'agent-file-invalid',
      'the oidc-agent account file is encrypted with GPG, which tokeep does not read',
      {
        hint: 'give it a password first: oidc-gen --update NAME --pw-prompt=cli, without a default GPG key',
      },
    );
  }
  const lines = file.trimEnd().split('\n');
  const version = /^Generated using version: (\d+)\.(\d+)\.(\d+)\s*$/.exec(lines.at(-1) ?? '');
  if (version === null || isBefore210(version)) {
    const text = await openLegacyAgentFile(lines[0] ?? '', password);
    if (text === undefined)
      throw version === null && lines.length > 2 ? damaged('it has no version line') : wrongPassword();
    return { text, version: '2.1.0' };
  }
  return { text: await openLines(lines, password), version: `${version[1]}.${version[2]}.${version[3]}` };
}

/** Seals the JSON text of an account with a new salt and nonce, so that oidc-agent can open it. */
export async function sealAgentFile(
  opened: OpenedAgentFile,
  password: Secret<'password'>,
  random: Random,
): Promise<string> {
  const nonce = random.bytes(nonceLength);
  const salt = random.bytes(saltLength);
  const { key, check } = await derive(password, salt);
  const sealed = xsalsa20poly1305(key, nonce).encrypt(Buffer.from(opened.text, 'utf8'));
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const version = `Generated using version: ${opened.version}`;
  return [sealed.length, base64(nonce), base64(salt), parameters, base64(sealed), base64(check), version].join('\n');
}

/** The 2.1.0 format: length, nonce, salt, parameters, ciphertext, check value, version. */
async function openLines(lines: readonly string[], password: Secret<'password'>): Promise<string> {
  const [length = '', nonceText = '', saltText = '', given = '', sealedText = '', checkText = ''] = lines;
  if (lines.length !== 7) throw damaged(`it has ${lines.length} lines, not 7`);
  if (given.trim() !== parameters) throw damaged('its fourth line has parameters that oidc-agent does not use');
  const nonce = bytesOf(nonceText, nonceLength, 'nonce');
  const salt = bytesOf(saltText, saltLength, 'salt');
  const expected = bytesOf(checkText, keyLength, 'password check value');
  if (!/^\d{1,9}$/.test(length.trim())) throw damaged('its first line is not a length');
  const sealed = bytesOf(sealedText, Number(length), 'ciphertext');
  if (sealed.length < tagLength) throw damaged('its ciphertext is too short');
  const { key, check } = await derive(password, salt);
  if (!timingSafeEqual(check, expected)) throw wrongPassword();
  try {
    return Buffer.from(xsalsa20poly1305(key, nonce).decrypt(sealed)).toString('utf8');
  } catch {
    throw damaged('the password is right, but its ciphertext was changed');
  }
}

function bytesOf(text: string, length: number, name: string): Buffer {
  const bytes = Buffer.from(text.trim(), 'base64');
  if (bytes.length !== length) throw damaged(`its ${name} has ${bytes.length} bytes, not ${length}`);
  return bytes;
}

const isBefore210 = (version: RegExpExecArray): boolean => {
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major < 2 || (major === 2 && minor < 1);
};

/** Argon2id v1.3 to 64 bytes: the key, and the value that tells a wrong password from a damaged file. */
async function derive(
  password: Secret<'password'>,
  salt: Buffer,
): Promise<{ readonly key: Buffer; readonly check: Buffer }> {
  const derived = await promisify(argon2)('argon2id', {
    message: Buffer.from(password.reveal(), 'utf8'),
    nonce: salt,
    parallelism: 1,
    tagLength: 2 * keyLength,
    memory: 65_536,
    passes: 2,
  });
  return { key: derived.subarray(0, keyLength), check: derived.subarray(keyLength) };
}
