// What condor_credd does towards a credmon, in the same process: as HTCondor 23.9.6 does it, and as HTCondor's main branch (25.x).
// Only the network, the authentication and the Kerberos half are left out.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { formatRequestFile, type LoginRequest } from '../../src/condor/request-file.ts';
import { Secret } from '../../src/token/secret.ts';
import { CreddFiles, type CreddPlace } from './fake-credd-files.ts';

/** A service as condor_submit and condor_store_cred name it, with what is asked of it. */
export interface Asked {
  readonly service: string;
  readonly handle?: string;
  readonly scopes?: string;
  readonly audience?: string;
}

/** Answers of STORE_CRED; a number is the time at which `.use` was written, in seconds. */
export type StoreAnswer =
  | number
  | 'ok'
  | 'not-found'
  | 'pending'
  | 'bad-arguments'
  | 'credmon-timeout'
  | 'no-json'
  | 'mismatch'
  | 'untrusted-host';

export interface CreddOptions extends CreddPlace {
  readonly version: '23.9.6' | 'main';
  readonly knobs: Readonly<Record<string, string>>;
  /** Between two looks for `.use`: a second in HTCondor. */
  readonly pollEvery?: number;
}

type Kind = 'local' | 'client' | 'oauth2' | 'vault' | 'unknown';

export class FakeCredd {
  readonly #options: CreddOptions;
  readonly #knobs: ReadonlyMap<string, string>;
  readonly files: CreddFiles;

  constructor(options: CreddOptions) {
    this.#options = options;
    this.files = new CreddFiles(options);
    this.#knobs = new Map(Object.entries(options.knobs).map(([name, value]) => [name.toUpperCase(), value]));
  }

  /** STORE_CRED add of an OAuth credential; `wait`: until the credmon made `.use` of it. `isAccessToken` is `-P`, which 23.9.6 does not know. */
  async add(
    user: string,
    asked: Asked,
    credential: string,
    more: { readonly wait?: boolean; readonly isAccessToken?: boolean } = {},
  ): Promise<StoreAnswer> {
    const name = nameOf(asked);
    if (!isFit(user) || name === undefined) return 'bad-arguments';
    this.files.clearMark(user);
    const json = jsonOf(credential);
    const vaultUrl = json?.['vault_url'];
    if (typeof vaultUrl === 'string' && !this.#isTrusted(vaultUrl)) return 'untrusted-host';
    this.files.makeUser(user);
    if (!this.#goesToTop(asked.service, typeof vaultUrl === 'string', more.isAccessToken)) {
      this.files.write(user, `${name}.use`, credential);
      return this.files.useTime(user, name) ?? 'ok';
    }
    const isNarrowed = (asked.scopes ?? '') !== '' || (asked.audience ?? '') !== '';
    if (isNarrowed && json === undefined) return 'no-json';
    this.files.write(user, `${name}.top`, isNarrowed ? `${narrowed(json ?? {}, asked)}\n` : credential);
    return await this.#awaitUse(user, name, more.wait ?? false);
  }

  /** STORE_CRED of the magic credential `LOCAL:<provider>` with the wait flag, as condor_submit 23.9.6 does for local issuers. */
  async addLocal(user: string, provider: string): Promise<StoreAnswer> {
    this.files.clearMark(user);
    this.files.makeUser(user);
    this.files.write(user, `${provider}.top`, user);
    return await this.#awaitUse(user, provider, true);
  }

  query(user: string, asked: Asked): StoreAnswer {
    const name = nameOf(asked);
    if (!isFit(user) || name === undefined) return 'bad-arguments';
    this.files.clearMark(user);
    const top = this.files.read(user, `${name}.top`);
    if (top === undefined && this.#options.version === '23.9.6') return 'not-found';
    if (top !== undefined && ((asked.scopes ?? '') !== '' || (asked.audience ?? '') !== '')) {
      if (jsonOf(top) === undefined) return 'no-json';
      if (!matches(top, asked)) return 'mismatch';
    }
    return this.files.useTime(user, name) ?? (top === undefined ? 'not-found' : 'pending');
  }

  /** STORE_CRED delete: `.top` and `.use`, not `.meta`. */
  remove(user: string, asked: Asked): StoreAnswer {
    const name = nameOf(asked);
    if (!isFit(user) || name === undefined) return 'bad-arguments';
    this.files.clearMark(user);
    for (const file of [`${name}.top`, `${name}.use`]) this.files.remove(user, file);
    return 'ok';
  }

  /** CREDD_CHECK_CREDS: nothing, a URL to visit, or what is wrong. */
  async check(user: string, asked: readonly Asked[]): Promise<string> {
    const missing: Asked[] = [];
    const local: Asked[] = [];
    for (const each of asked) {
      const kind = this.#options.version === 'main' ? this.#kindOf(each.service) : 'oauth2';
      const problem = this.#checkOne(user, each, kind, missing, local);
      if (problem !== undefined) return problem;
    }
    for (const { service, scopes, audience } of local) {
      if ((scopes ?? '') !== '' || (audience ?? '') !== '') {
        return `ERROR: Local Issuer/Client credential '${service}' can't have user-provided scope or audience.`;
      }
      this.files.makeUser(user);
      this.files.write(user, `${service}.top`, `${user}@foo`);
    }
    if (local.length > 0) this.files.kick();
    for (const { service } of local) await this.#poll(user, service);
    return missing.length === 0 ? '' : this.#request(user, missing);
  }

  #checkOne(user: string, asked: Asked, kind: Kind, missing: Asked[], local: Asked[]): string | undefined {
    const { service } = asked;
    const name = nameOf({ ...asked, service: service.replaceAll('/', ':') }) ?? service;
    const ours = kind === 'local' || kind === 'client';
    if (ours && (asked.handle ?? '') !== '') {
      return `ERROR: Local ${kind === 'local' ? 'Issuer' : 'Client'} credential '${service}' can't have a handle.`;
    }
    const top = this.files.read(user, `${name}.top`);
    if (kind === 'unknown') {
      const isThere = this.files.useTime(user, name) !== undefined;
      return isThere ? undefined : `ERROR: Credential '${service}' of unknown type is missing.`;
    }
    if (ours) {
      if (top === undefined || this.files.useTime(user, name) === undefined) local.push(asked);
    } else if (kind === 'vault') {
      if (top === undefined) return `ERROR: Vault credential '${service}' is missing.`;
    } else if (top === undefined) missing.push(asked);
    else if (jsonOf(top) !== undefined && !matches(top, asked)) {
      return [
        'ERROR - credentials exist that do not match the request',
        '  They can be removed with',
        `    condor_store_cred delete-oauth -s ${name}`,
        '  but make sure no other job is using them.',
      ].join('\n');
    }
    return undefined;
  }

  #request(user: string, missing: readonly Asked[]): string {
    const prefix = this.#knob('CREDMON_WEB_PREFIX') ?? 'https://ap.example.org';
    const requests: LoginRequest[] = [];
    for (const { service, handle, scopes, audience } of missing) {
      const knob = (name: string) => this.#knob(`${service}_${name}`) ?? '';
      const secretFile = knob('CLIENT_SECRET_FILE');
      if (secretFile === '') {
        return `Failed to securely read client secret for service ${service}; Tell your admin that ${service}_CLIENT_SECRET_FILE is not configured`;
      }
      requests.push({
        provider: service,
        ...(handle === undefined ? {} : { handle }),
        scopes: scopes ?? '',
        audience: audience ?? '',
        clientId: knob('CLIENT_ID'),
        clientSecret: new Secret('client_secret', readFileSync(secretFile, 'utf8').split(/[\r\n]/, 1)[0] ?? ''),
        authorizationUrl: knob('AUTHORIZATION_URL'),
        tokenUrl: knob('TOKEN_URL'),
        returnUrl: `${prefix}${knob('RETURN_URL_SUFFIX')}`,
        localUser: user,
      });
    }
    const key = randomBytes(32).toString('hex');
    this.files.request(key, formatRequestFile(requests));
    return `${prefix}/key/${key}`;
  }

  /** Success only wakes the credmon where there is no `.use` yet. */
  async #awaitUse(user: string, name: string, waits: boolean): Promise<StoreAnswer> {
    const time = this.files.useTime(user, name);
    if (time !== undefined) return time;
    return this.files.kick() && waits ? await this.#poll(user, name) : 'pending';
  }

  async #poll(user: string, name: string): Promise<StoreAnswer> {
    const pause = this.#options.pollEvery ?? 1_000;
    const tries = Math.ceil((Number(this.#knob('CREDD_POLLING_TIMEOUT') ?? 20) * 1_000) / pause);
    for (let left = tries; ; left -= 1) {
      const time = this.files.useTime(user, name);
      if (time !== undefined) return time;
      if (left <= 0) return 'credmon-timeout';
      await wait(pause);
    }
  }

  #kindOf(service: string): Kind {
    const has = (knob: string, fallback: string) =>
      (this.#knob(knob) ?? fallback).split(/[\s,]+/).some((word) => word.toLowerCase() === service.toLowerCase());
    const isAny = (knob: string) => (this.#knob(knob) ?? '*').split(/[\s,]+/).includes('*');
    const hasClient = this.#knob(`${service}_CLIENT_ID`) !== undefined;
    if (has('LOCAL_CREDMON_PROVIDER_NAMES', this.#knob('LOCAL_CREDMON_PROVIDER_NAME') ?? 'scitokens')) return 'local';
    if (has('CLIENT_CREDMON_PROVIDER_NAMES', '')) return 'client';
    if (has('OAUTH2_CREDMON_PROVIDER_NAMES', '')) return 'oauth2';
    if (has('VAULT_CREDMON_PROVIDER_NAMES', '')) return 'vault';
    if (hasClient && isAny('OAUTH2_CREDMON_PROVIDER_NAMES')) return 'oauth2';
    const hasStorer = this.#knob('SEC_CREDENTIAL_STORER') !== undefined;
    return !hasClient && hasStorer && isAny('VAULT_CREDMON_PROVIDER_NAMES') ? 'vault' : 'unknown';
  }

  #goesToTop(service: string, isVault: boolean, isAccessToken: boolean | undefined): boolean {
    if (this.#options.version === '23.9.6') return true;
    if (isAccessToken !== undefined) return !isAccessToken;
    return isVault || this.#kindOf(service) !== 'unknown';
  }

  #isTrusted(vaultUrl: string): boolean {
    const hosts = (this.#knob('TRUSTED_VAULT_HOSTS') ?? '').split(/[\s,]+/).filter((host) => host !== '');
    const host = /^[a-z]+:\/\/([^:/]*)/i.exec(vaultUrl)?.[1]?.toLowerCase();
    return hosts.length === 0 || hosts.some((each) => each.toLowerCase() === host);
  }

  #knob = (name: string): string | undefined => this.#knobs.get(name.toUpperCase());
}

const isFit = (text: string): boolean => /^[A-Za-z0-9\-+=_.]+$/.test(text);

function nameOf({ service, handle = '' }: Asked): string | undefined {
  if (!isFit(service) || (handle !== '' && !isFit(handle))) return undefined;
  return handle === '' ? service : `${service}_${handle}`;
}

function jsonOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Byte for byte. */
function matches(top: string, { scopes = '', audience = '' }: Asked): boolean {
  const json = jsonOf(top) ?? {};
  return (json['scopes'] ?? '') === scopes && (json['audience'] ?? '') === audience;
}

/** ClassAds come out sorted. */
function narrowed(json: Readonly<Record<string, unknown>>, { scopes = '', audience = '' }: Asked): string {
  const whole = { ...json, ...(scopes === '' ? {} : { scopes }), ...(audience === '' ? {} : { audience }) };
  return JSON.stringify(Object.fromEntries(Object.entries(whole).sort(([a], [b]) => (a < b ? -1 : 1))), null, 2);
}
