import { Fault } from '../fault/fault.ts';
import type { Database, Session } from '../store/database.ts';
import { after, type Epoch, minutes } from '../token/time.ts';
import type { World } from '../world/world.ts';
import type { AuditEntry, AuditLog } from './audit.ts';
import { DatabaseAuditLog } from './audit-log.ts';
import type { Engine } from './engine.ts';
import type { IssuerDeps, IssuerSettings, Minted, OpenIssuer } from './issuer.ts';
import { IssuerView, type Seen } from './issuer-view.ts';
import { judgeRequest } from './judge-request.ts';
import { raiseLastExpiry, readKeys, sealingKeyId } from './key-table.ts';
import type { MintRequest, PolicyAnswer } from './policy.ts';
import { PolicyRefusal, type Refused, wholeReason } from './policy-refusal.ts';
import type { KeyPlace } from './private-keys.ts';
import { SharedWrites } from './shared-write.ts';
import { type Signing, signToken } from './sign-token.ts';
import type { SigningKey } from './signing-key.ts';
import { makeNameKey, readSubjectNames, type SubjectNames } from './subject-name.ts';

/** `lastExpiry` is raised a little further than needed, so that not every token has to raise it. */
const expirySlack = minutes(15);

interface Parts {
  readonly world: World;
  readonly directory: string;
  readonly deps: IssuerDeps;
  readonly settings: IssuerSettings;
  readonly database: Database;
}

/** The {@link OpenIssuer} that programs work with. */
export class LiveIssuer implements OpenIssuer {
  readonly directory: string;
  readonly database: Database;
  readonly engine: Engine;
  readonly audit: AuditLog;
  readonly keyPlace: KeyPlace;
  readonly #world: World;
  readonly #view: IssuerView;
  readonly #writes: Pick<SharedWrites, 'write'>;
  #settings: IssuerSettings;
  #names: SubjectNames | undefined;
  readonly #apart = new Set<Promise<void>>();

  static async open(parts: Parts): Promise<LiveIssuer> {
    const sealedWith = await sealingKeyId(parts.database);
    const sealer = () => parts.deps.sealer(sealedWith);
    const issuer = new LiveIssuer({ ...parts, deps: { ...parts.deps, sealer } });
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
    this.#writes = this.engine === 'postgres' ? new SharedWrites(database) : database;
    this.#view = new IssuerView({
      world,
      place: this.keyPlace,
      database,
      before: async (next, session) => {
        if (next.audit.subjects === 'hashed') await this.#needNames(session);
        this.#settings = next;
      },
    });
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
    return judge(await this.#view.current(), request, this.#world.clock.now());
  }

  async mint(request: MintRequest): Promise<Minted> {
    const seen = await this.#view.current();
    const now = this.#world.clock.now();
    const signing = judgeAndSign(seen, request, now);
    if (signing.kind === 'refused') {
      await this.audit.append(refusal(request, seen, signing, now));
      throw new PolicyRefusal(signing);
    }
    const { minted } = signing;
    await this.#writes.write((session) => this.#record(session, seen, request, minted));
    return minted;
  }

  async mintIn(session: Session, request: MintRequest): Promise<Minted> {
    const seen = await this.#view.currentIn(session);
    const now = this.#world.clock.now();
    const signing = judgeAndSign(seen, request, now);
    if (signing.kind === 'refused') {
      this.#doApart(this.audit.append(refusal(request, seen, signing, now)));
      throw new PolicyRefusal(signing);
    }
    await this.#record(session, seen, request, signing.minted);
    return signing.minted;
  }

  async keys(also?: { readonly removed: boolean }): Promise<readonly SigningKey[]> {
    const keys = (await readKeys(this.database)).map(({ key }) => key);
    return also?.removed === true ? keys : keys.filter(({ state }) => state !== 'removed');
  }

  async signingKey(): Promise<SigningKey | undefined> {
    return (await this.#view.current()).signer?.key;
  }

  async subjectNames(): Promise<SubjectNames> {
    this.#names ??= await this.#openNames();
    return this.#names;
  }

  lookAgain(): void {
    this.#view.lookAgain();
  }

  async close(): Promise<void> {
    await Promise.all(this.#apart);
    await this.database.close();
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
      audiences: typeof aud === 'string' ? [aud] : ((aud ?? []) as readonly string[]),
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

  async #openNames(): Promise<SubjectNames> {
    const place = { url: this.keyPlace.url, sealer: await this.keyPlace.sealer() };
    const source = { rows: this.database.read.bind(this.database) };
    const found = await readSubjectNames(source, place);
    if (found !== undefined) return found;
    await makeNameKey(this, place, this.#world.random);
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

const judge = ({ settings: { policy, url, profile } }: Seen, request: MintRequest, now: Epoch): PolicyAnswer =>
  judgeRequest(policy, request, url, profile, now);

function judgeAndSign(seen: Seen, request: MintRequest, now: Epoch): Signing {
  const answer = judge(seen, request, now);
  return answer.kind === 'refused' ? answer : signToken(seen, answer, now);
}

function refusal(request: MintRequest, { settings }: Seen, refused: Refused, at: Epoch): AuditEntry {
  const { by, subject, audiences, scopes, deliveredTo, requestId } = request;
  const reason = settings.audit.subjects === 'hashed' ? withoutSubject(refused, subject) : wholeReason(refused);
  const of = requestId === undefined ? {} : { requestId };
  return { at, event: 'refused', by, subject, audiences, scopes, deliveredTo, reason, ...of };
}

/** A log that keeps subjects to itself must not have them in its sentences either; what is no subject stands there in quotes. */
function withoutSubject(refused: Refused, subject: string): string {
  const why = wholeReason(refused);
  const quoted = JSON.stringify(subject.slice(0, 100)).slice(1, -1);
  return why.includes(subject) || why.includes(quoted) ? `${refused.error}: for a reason that names the subject` : why;
}
