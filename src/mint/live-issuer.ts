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
import { makeNameKey, readSubjectNames, type SubjectNames } from './subject-name.ts';

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
  readonly #apart = new Set<Promise<void>>();

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
      this.#doApart(this.audit.append(refusal(request, answer, now)));
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
    this.#names ??= await this.#openNames();
    return this.#names;
  }

  lookAgain(): void {
    this.#seen = undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#apart);
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

  /** For what must not go with the transaction of a caller when that is undone; awaiting it inside would be waiting for ourselves. */
  #doApart(work: Promise<unknown>): void {
    const done = work.then(
      () => {},
      () => {},
    );
    this.#apart.add(done);
    void done.then(() => this.#apart.delete(done));
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
    if (settings.audit.subjects === 'hashed') await this.#needNames(session);
    this.#settings = settings;
    this.#seen = { at, settings, file, signer };
    return this.#seen;
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

  async #openNames(): Promise<SubjectNames> {
    const place = { url: this.keyPlace.url, sealer: await this.keyPlace.sealer() };
    const source = { rows: this.database.read.bind(this.database) };
    const found = await readSubjectNames(source, place);
    if (found !== undefined) return found;
    await makeNameKey(this.database, place, this.#world.random);
    const made = await readSubjectNames(source, place);
    if (made === undefined) throw new Fault('bug', 'the key of the names of subjects was made and is not there');
    return made;
  }

  /** Inside a transaction the key is not made: it would go if that is undone, and names with it would stand in the log of others. */
  async #needNames(session: Session | undefined): Promise<void> {
    if (this.#names !== undefined) return;
    if (session === undefined) {
      await this.subjectNames();
      return;
    }
    const place = { url: this.keyPlace.url, sealer: await this.keyPlace.sealer() };
    this.#names = await readSubjectNames(session, place);
    if (this.#names !== undefined) return;
    this.#doApart(this.subjectNames());
    throw new Fault(
      'state-busy',
      'issuer.yaml wants hashed subjects since a moment ago, and their key is only being made',
      {
        hint: 'try again',
      },
    );
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
