import { decodeJwt } from '../token/jwt.ts';
import { type AccessToken, type Credential, type RefreshToken, Secret } from '../token/secret.ts';
import { type Epoch, epochFromSeconds, type Millis, seconds } from '../token/time.ts';
import { type JsonMember, jsonMembers } from './json-members.ts';

/** Texts as stored, to the byte: condor_credd compares them with what the next submit asks for. Absent where nothing was asked. */
export interface AskedOfTop {
  readonly scopes?: string;
  readonly audience?: string;
}

/** What a `.top` file says, which is what is needed to get tokens. Unknown members are fine. */
export type TopFile =
  | (AskedOfTop & { readonly kind: 'oauth2'; readonly refreshToken: RefreshToken })
  /** Without a vault token it is a handle: the token of the parent counts. */
  | (AskedOfTop & { readonly kind: 'vault'; readonly vaultUrl: string; readonly vaultToken?: Secret<'vault_token'> })
  /** The server is what the file names, else the issuer of the mytoken. */
  | (AskedOfTop & { readonly kind: 'mytoken'; readonly mytoken: Secret<'mytoken'>; readonly server: string })
  /** An access token that somebody pushed: HTCondor 23.9.6 puts it here, later ones into `.use` themselves. */
  | (AskedOfTop & {
      readonly kind: 'access_token';
      readonly accessToken: AccessToken;
      readonly expiresIn?: Millis;
      readonly expiresAt?: Epoch;
    })
  /** A JSON object without a credential: a narrower use of the parent's. */
  | (AskedOfTop & { readonly kind: 'handle' })
  /** The name of the user, or anything else that is no JSON: all that the local issuer and client credentials need. */
  | { readonly kind: 'plain' }
  /** `why` goes on after the name of the file: a sentence for people, which quotes nothing of it. */
  | { readonly kind: 'unreadable'; readonly why: string };

export const largestTop = 64 * 1024;

export function parseTop(bytes: Uint8Array): TopFile {
  const text = credentialText(bytes);
  if (typeof text !== 'string') return text;
  const trimmed = text.trim();
  if (!trimmed.startsWith('{')) return bareTop(trimmed);
  const json = jsonMembers(text);
  if (json.kind === 'other') return unreadable(json.why);
  const members = new Members(json.members);
  const top = topOf(members);
  return members.wrong === undefined ? top : unreadable(members.wrong);
}

/** What is spent or shown to get a token, where the file holds it itself. */
export function credentialOf(top: TopFile): Credential | undefined {
  if (top.kind === 'oauth2') return top.refreshToken;
  if (top.kind === 'mytoken') return top.mytoken;
  return top.kind === 'vault' ? top.vaultToken : undefined;
}

/**
 * The same file with the successor of its credential: everything else stays as it was written, so that the shipped credmon
 * understands it as well as we do. `text` is that of a file in which `credentialOf` found a credential of this kind.
 */
export function withSuccessor(text: string, successor: Credential): string {
  const json = jsonMembers(text);
  if (json.kind === 'other') return text.replace(text.trim(), () => successor.reveal());
  const member = json.members.get(successor.kind);
  if (member === undefined) throw new TypeError(`the file holds no ${successor.kind}`);
  return text.slice(0, member.from) + JSON.stringify(successor.reveal()) + text.slice(member.to);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a credential file, or why there is none. */
export function credentialText(bytes: Uint8Array): string | Extract<TopFile, { kind: 'unreadable' }> {
  if (bytes.length > largestTop) return unreadable('is larger than 64 KiB');
  try {
    return utf8.decode(bytes);
  } catch {
    return unreadable('is not UTF-8');
  }
}

const unreadable = (why: string) => ({ kind: 'unreadable', why }) as const;

function topOf(members: Members): TopFile {
  const scopes = members.text('scopes');
  const audience = members.text('audience');
  const asked = { ...(scopes === undefined ? {} : { scopes }), ...(audience === undefined ? {} : { audience }) };
  const refreshToken = members.secret('refresh_token');
  if (refreshToken !== undefined) return { kind: 'oauth2', refreshToken, ...asked };
  const mytoken = members.secret('mytoken');
  if (mytoken !== undefined) return mytokenTop(mytoken, members, asked);
  const vaultUrl = members.text('vault_url');
  const vaultToken = members.secret('vault_token');
  if (vaultUrl !== undefined) {
    return { kind: 'vault', vaultUrl, ...(vaultToken === undefined ? {} : { vaultToken }), ...asked };
  }
  if (vaultToken !== undefined) return unreadable('has a vault_token and no vault_url');
  const accessToken = members.secret('access_token');
  return accessToken === undefined ? { kind: 'handle', ...asked } : accessTokenTop(accessToken, members, asked);
}

function mytokenTop(mytoken: Secret<'mytoken'>, members: Members, asked: AskedOfTop): TopFile {
  const server = members.text('mytoken_server') ?? members.text('server') ?? issuerOf(mytoken);
  return server === undefined
    ? unreadable('has a mytoken and no mytoken_server')
    : { kind: 'mytoken', mytoken, server, ...asked };
}

function accessTokenTop(accessToken: AccessToken, members: Members, asked: AskedOfTop): TopFile {
  const expiresIn = members.number('expires_in');
  const expiresAt = members.number('expires_at');
  return {
    kind: 'access_token',
    accessToken,
    ...(expiresIn === undefined ? {} : { expiresIn: seconds(expiresIn) }),
    ...(expiresAt === undefined ? {} : { expiresAt: epochFromSeconds(expiresAt) }),
    ...asked,
  };
}

/** Text without JSON around it: what `condor_store_cred -i` was given as it was. */
function bareTop(text: string): TopFile {
  // Fernet (version 0x80): the mytoken credmon proposed to HTCondor encrypts with a key of its own.
  if (/^gAAAA[A-Za-z0-9_-]{90,}=*$/.test(text)) {
    return unreadable('is encrypted (Fernet), with a key that only the credential monitor has that wrote it');
  }
  const jwt = decodeJwt(text);
  if (jwt.kind !== 'jwt') return { kind: 'plain' };
  if (jwt.claims['token_type'] !== 'mytoken') {
    return { kind: 'access_token', accessToken: new Secret('access_token', text) };
  }
  const server = jwt.claims['iss'];
  return typeof server === 'string'
    ? { kind: 'mytoken', mytoken: new Secret('mytoken', text), server }
    : unreadable('is a mytoken that does not name its server');
}

/** A mytoken names its server as issuer, where it is a JWT. */
function issuerOf(mytoken: Secret<'mytoken'>): string | undefined {
  const jwt = decodeJwt(mytoken.reveal());
  const issuer = jwt.kind === 'jwt' ? jwt.claims['iss'] : undefined;
  return typeof issuer === 'string' ? issuer : undefined;
}

/** Typed looks at members; the first that is of a wrong type is noted. */
class Members {
  readonly #members: ReadonlyMap<string, JsonMember>;
  wrong: string | undefined;

  constructor(members: ReadonlyMap<string, JsonMember>) {
    this.#members = members;
  }

  text(name: string): string | undefined {
    const value = this.#members.get(name)?.value;
    if (value === undefined || typeof value === 'string') return value;
    this.wrong ??= `has a ${name} that is no text`;
    return undefined;
  }

  secret<K extends 'refresh_token' | 'mytoken' | 'vault_token' | 'access_token'>(kind: K): Secret<K> | undefined {
    const text = this.text(kind);
    if (text === '') this.wrong ??= `has an empty ${kind}`;
    return text === undefined ? undefined : new Secret(kind, text);
  }

  /** Some write numbers as text. */
  number(name: string): number | undefined {
    const value = this.#members.get(name)?.value;
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && /^[0-9]{1,12}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number) && number >= 0) return number;
    this.wrong ??= `has an ${name} that is no number of seconds`;
    return undefined;
  }
}
