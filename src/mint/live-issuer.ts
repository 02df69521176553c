import { type KeyObject, randomUUID } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import type { Database, Session } from '../store/database.ts';
import { Secret } from '../token/secret.ts';
import { after, type Epoch, type Mono, minutes, seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import type { AuditEntry, AuditLog } from './audit.ts';
import { DatabaseAuditLog } from './audit-log.ts';
import { claimsOf, headerOf } from './claims.ts';
import type { Engine } from './engine.ts';
import type { IssuerDeps, IssuerSettings, Minted, OpenIssuer } from './issuer.ts';
import { judgeRequest } from './judge-request.ts';
import { type KeyRecord, raiseLastExpiry, readKeys } from './key-table.ts';
import type { MintRequest, PolicyAnswer, SettledRequest } from './policy.ts';
import { type KeyPlace, loadPrivateKey } from './private-keys.ts';
import { readSettings, settingsFile } from './settings.ts';
import { signJws } from './sign-jws.ts';
import type { SigningKey } from './signing-key.ts';
import { openSubjectNames, type SubjectNames } from './subject-name.ts';

/** How old what we know of keys and policy may be. */
const lookEvery = seconds(1);
/** `lastExpiry` is raised a little further than needed, so that not every token has to raise it. */
const expirySlack = minutes(15);
/** What verifiers take at most, ours too. */
const largestToken = 16 * 1024;

interface Signer {
  readonly key: SigningKey;
  readonly privateKey: KeyObject;
}

/** What was last seen of the settings and the keys. */
interface Seen {
  readonly at: Mono;
  readonly settings: IssuerSettings;
  /** Of issuer.yaml, so that it is read again only when it was changed. */
  readonly file: string;
  readonly signer: Signer | undefined;
}

interface Parts {
  readonly world: World;
  readonly directory: string;
  readonly deps: IssuerDeps;
  readonly settings: IssuerSettings;
  readonly database: Database;
}

/** An {@link OpenIssuer} that looks at settings and keys again once a second, as long as it is asked for something. */
export class LiveIssuer implements OpenIssuer {
  readonly directory: string;
  readonly database: Database;
  readonly engine: Engine;
  readonly audit: AuditLog;
  readonly keyPlace: KeyPlace;
  readonly #world: World;
  #seen: Seen | undefined;
  #settings: IssuerSettings;
  #looking: Promise<Seen> | undefined;
  #names: SubjectNames | undefined;
  readonly #refusals = new Set<Promise<unknown>>();

  static async open(parts: Parts): Promise<LiveIssuer> {
    const issuer = new LiveIssuer(parts);
    if (parts.settings.audit.subjects === 'hashed') await issuer.subjectNames();
    return issuer;
  }

  private constructor({ world, directory, deps, settings, database }: Parts) {
    this.#world = world;
    this.#settings = settings;
    this.directory = directory;
    this.database = database;
    this.engine = settings.store.kind;
    this.keyPlace = { world, directory, url: settings.url, sealer: deps.sealer };
    this.audit = new DatabaseAuditLog({
      database,
      engine: this.engine,
      url: settings.url,
      chain: deps.chain,
      nameOf: (subject) => this.#nameInLog(subject),
    });
  }

  get settings(): IssuerSettings {
    return this.#settings;
  }

  async judge(request: MintRequest): Promise<PolicyAnswer> {
    return this.#judge((await this.#current()).settings, request, this.#world.clock.now());
  }

  async mint(request: MintRequest): Promise<Minted> {
    const seen = await this.#current();
    const now = this.#world.clock.now();
    const answer = this.#judge(seen.settings, request, now);
    if (answer.kind === 'refused') {
      await this.audit.append(refusal(request, answer, now));
      throw refusedFault(answer);
    }
    const minted = sign(seen, answer.request, answer.remarks, now);
    await this.database.write((session) => this.#record(session, seen, request, minted));
    return minted;
  }

  async mintIn(session: Session, request: MintRequest): Promise<Minted> {
    const seen = this.#fresh() ?? (await this.#look(session));
    const now = this.#world.clock.now();
    const answer = this.#judge(seen.settings, request, now);
    if (answer.kind === 'refused') {
      this.#noteApart(refusal(request, answer, now));
      throw refusedFault(answer);
    }
    const minted = sign(seen, answer.request, answer.remarks, now);
    await this.#record(session, seen, request, minted);
    return minted;
  }

  async keys(also?: { readonly removed: boolean }): Promise<readonly SigningKey[]> {
    const keys = (await readKeys(this.database)).map(({ key }) => key);
    return also?.removed === true ? keys : keys.filter(({ state }) => state !== 'removed');
  }

  async subjectNames(): Promise<SubjectNames> {
    this.#names ??= await this.#openNames(this.database);
    return this.#names;
  }

  lookAgain(): void {
    this.#seen = undefined;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#refusals);
    await this.database.close();
  }

  #judge({ policy, url, profile }: IssuerSettings, request: MintRequest, now: Epoch): PolicyAnswer {
    return judgeRequest(policy, request, url, profile, now);
  }

  async #record(session: Session, { signer }: Seen, request: MintRequest, minted: Minted): Promise<void> {
    const { expiresAt, kid, jti, scopes, issuedAt } = minted;
    if (expiresAt > (signer?.key.lastExpiry ?? 0)) await raiseLastExpiry(session, kid, after(expiresAt, expirySlack));
    const { aud } = minted.claims;
    await this.audit.appendIn(session, {
      at: issuedAt,
      event: 'issued',
      by: request.by,
      jti,
      subject: request.subject,
      audiences: typeof aud === 'string' ? [aud] : (aud as readonly string[]),
      scopes,
      expiresAt,
      kid,
      deliveredTo: request.deliveredTo,
      ...(request.requestId === undefined ? {} : { requestId: request.requestId }),
    });
  }

  /** The caller's transaction is undone when we throw, and the line must not go with it; awaiting it here would wait for ourselves. */
  #noteApart(entry: AuditEntry): void {
    const noted = this.audit.append(entry).catch(() => {});
    this.#refusals.add(noted);
    void noted.finally(() => this.#refusals.delete(noted));
  }

  #fresh(): Seen | undefined {
    const seen = this.#seen;
    return seen !== undefined && this.#world.clock.monotonic() < after(seen.at, lookEvery) ? seen : undefined;
  }

  async #current(): Promise<Seen> {
    const fresh = this.#fresh();
    if (fresh !== undefined) return fresh;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return await this.#looking;
  }

  /** Inside a transaction all goes through its session: another connection might have to wait for it. */
  async #look(session?: Session): Promise<Seen> {
    const before = this.#seen;
    const at = this.#world.clock.monotonic();
    const { settings, file } = await this.#settingsNow(before);
    const records = await readKeys(session ?? this.database);
    const signer = await this.#signerOf(records, before);
    const seen = { at, settings, file, signer };
    if (settings.audit.subjects === 'hashed' && this.#names === undefined) {
      const names = await this.#openNames(session ?? this.database);
      // In a transaction that may still be undone the key of the names may have been made just now.
      if (session === undefined) this.#names = names;
      this.#settings = settings;
      if (session !== undefined) return seen;
    }
    this.#settings = settings;
    this.#seen = seen;
    return seen;
  }

  async #settingsNow(before: Seen | undefined): Promise<Pick<Seen, 'settings' | 'file'>> {
    const facts = await this.#world.files.facts(settingsFile(this.directory));
    const file = facts === undefined ? '' : `${facts.inode} ${facts.size} ${facts.changedAt}`;
    if (before !== undefined && file !== '' && file === before.file) return before;
    const settings = await readSettings(this.#world, this.directory);
    if (settings.url === this.keyPlace.url) return { settings, file };
    throw new Fault(
      'config-invalid',
      `${settingsFile(this.directory)} names the issuer ${settings.url} now, and it was opened as ${this.keyPlace.url}`,
      { hint: 'another URL is another issuer; make it in a directory of its own' },
    );
  }

  async #signerOf(records: readonly KeyRecord[], before: Seen | undefined): Promise<Signer | undefined> {
    const record = records.find(({ key }) => key.state === 'signing');
    if (record === undefined) return undefined;
    const { key } = record;
    if (before?.signer?.key.kid === key.kid) return { key, privateKey: before.signer.privateKey };
    return { key, privateKey: await loadPrivateKey(this.keyPlace, record) };
  }

  async #openNames(source: Database | Session): Promise<SubjectNames> {
    const { url, sealer } = this.keyPlace;
    return await openSubjectNames({ source, url, sealer: await sealer(), random: this.#world.random });
  }

  #nameInLog(subject: string): string {
    if (this.#settings.audit.subjects === 'plain') return subject;
    if (this.#names === undefined) throw new Fault('bug', 'the audit log was written to before its names were there');
    return this.#names.inLog(subject);
  }
}

function sign(seen: Seen, request: SettledRequest, remarks: readonly string[], now: Epoch): Minted {
  const { settings, signer } = seen;
  if (signer === undefined) {
    throw new Fault('signing-key-missing', `the issuer ${settings.url} has no key that signs`, {
      hint: 'tokeep issuer rotate --now --reason TEXT   # makes one; then once more, for it to sign',
    });
  }
  const { key, privateKey } = signer;
  const { url, profile } = settings;
  const jti = randomUUID();
  const { issuedAt, expiresAt, claims } = claimsOf(request, { url, profile, jti, now });
  const text = signJws(headerOf(profile, key.kid), claims, privateKey, key.algorithm);
  if (text.length > largestToken) {
    throw new Fault(
      'policy-refused',
      `the token would be longer than ${largestToken} characters, which verifiers refuse`,
    );
  }
  const token = new Secret('access_token', text);
  return { token, jti, kid: key.kid, issuedAt, expiresAt, scopes: request.scopes, claims, remarks };
}

type Refused = Extract<PolicyAnswer, { kind: 'refused' }>;

function refusal(request: MintRequest, { why }: Refused, at: Epoch): AuditEntry {
  const { by, subject, audiences, scopes, deliveredTo, requestId } = request;
  const of = requestId === undefined ? {} : { requestId };
  return { at, event: 'refused', by, subject, audiences, scopes, deliveredTo, reason: why, ...of };
}

const refusedFault = ({ why, hint }: Refused): Fault =>
  new Fault('policy-refused', why, hint === undefined ? {} : { hint });
