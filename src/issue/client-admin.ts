import { hash } from 'node:crypto';
import { Fault } from '../fault/fault.ts';
import { nearest } from '../fault/nearest.ts';
import type { AuditEvent } from '../mint/audit.ts';
import type { Issuer } from '../mint/issuer.ts';
import type { Session } from '../store/database.ts';
import { type ClientSecret, Secret } from '../token/secret.ts';
import { after, type Epoch, type Millis } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { type Client, type ClientKey, checkClientId, type SecretHash } from './client.ts';
import { ClientTable } from './client-table.ts';
import { prepareServerSchema } from './server-schema.ts';

/** A client as the operator describes it. */
export type NewClient = Pick<
  Client,
  'name' | 'grants' | 'scopes' | 'audiences' | 'everyone' | 'serves' | 'lifetime'
> & {
  readonly id?: string;
  /** Its id, unless told. */
  readonly subject?: string;
  /** Without one a secret is made. */
  readonly key?: ClientKey;
};

export interface ClientAdminDeps {
  readonly world: Pick<World, 'clock' | 'random'>;
  readonly issuer: Issuer;
  /** For the audit log: `admin root`. */
  readonly by: string;
}

/** Adding, changing and removing clients; every act is a line of the audit log, in the same transaction. */
export class ClientAdmin {
  readonly #deps: ClientAdminDeps;
  readonly #table: ClientTable;

  private constructor(deps: ClientAdminDeps) {
    this.#deps = deps;
    this.#table = new ClientTable(deps.issuer.database);
  }

  static async open(deps: ClientAdminDeps): Promise<ClientAdmin> {
    await prepareServerSchema(deps.issuer.database);
    return new ClientAdmin(deps);
  }

  all(): Promise<readonly Client[]> {
    return this.#table.all();
  }

  /** The secret is nowhere but in the answer. Throws Fault `usage` for an id that is taken, or that a person could have. */
  async add(wanted: NewClient): Promise<{ readonly client: Client; readonly secret?: ClientSecret }> {
    const { world, issuer } = this.#deps;
    const { key, id: given, subject, lifetime, ...rest } = wanted;
    const id = given === undefined ? uuid(world) : checkClientId(given);
    const now = world.clock.now();
    const secret = key === undefined ? newSecret(world) : undefined;
    const client: Client = {
      ...rest,
      id,
      generation: 1,
      addedAt: now,
      subject: subject ?? id,
      proof:
        secret === undefined
          ? { kind: 'key', jwk: key as ClientKey }
          : { kind: 'secret', secrets: [hashed(secret, now)] },
      ...(lifetime === undefined ? {} : { lifetime }),
    };
    await issuer.database.write(async (session) => {
      if (!(await this.#table.add(session, client))) throw taken(id);
      await this.#note(session, 'client-added', client, boundsText(client));
    });
    return secret === undefined ? { client } : { client, secret };
  }

  /** A new secret; the one before it is good until the grace has passed. */
  async rotateSecret(
    id: string,
    grace: Millis,
  ): Promise<{ readonly client: Client; readonly secret: ClientSecret; readonly until: Epoch }> {
    const { world, issuer } = this.#deps;
    const client = await this.#known(id);
    if (client.proof.kind !== 'secret')
      throw new Fault('usage', `client ${id} proves itself with a key and has no secret`);
    const now = world.clock.now();
    const until = after(now, grace);
    const secret = newSecret(world);
    // The newest alone is kept for the grace: two changes in a row are because the first secret got lost, or known.
    const latest = client.proof.secrets.filter((one) => one.until === undefined).map((one) => ({ ...one, until }));
    const secrets = [hashed(secret, now), ...latest];
    await issuer.database.write(async (session) => {
      if (!(await this.#table.change(session, client, { proof: { kind: 'secret', secrets } }))) throw changed(id);
      await this.#note(
        session,
        'client-changed',
        client,
        `a new secret; the one before it ends ${new Date(until).toISOString()}`,
      );
    });
    return { client, secret, until };
  }

  /** It gets nothing more from the moment this resolves; its refresh tokens go with it. */
  async remove(id: string): Promise<Client> {
    const { issuer, world } = this.#deps;
    const client = await this.#known(id);
    await issuer.database.write(async (session) => {
      if (!(await this.#table.remove(session, id))) throw changed(id);
      await session.change('UPDATE issuer_family SET revoked_at = $2 WHERE client = $1 AND revoked_at IS NULL', [
        id,
        world.clock.now(),
      ]);
      await this.#note(session, 'client-removed', client);
    });
    return client;
  }

  async #known(id: string): Promise<Client> {
    const client = await this.#table.find(id);
    if (client !== undefined) return client;
    const meant = nearest(
      id,
      (await this.#table.all()).map((one) => one.id),
    );
    const hint = meant === undefined ? 'see: tokeep issuer client list' : `did you mean ${meant}?`;
    throw new Fault('usage', `there is no client ${JSON.stringify(id)}`, { hint });
  }

  async #note(session: Session, event: AuditEvent, { id, name }: Client, what?: string): Promise<void> {
    const { world, issuer, by } = this.#deps;
    const reason = `client ${id} (${name})${what === undefined ? '' : `: ${what}`}`;
    await issuer.audit.appendIn(session, { at: world.clock.now(), event, by, reason });
  }
}

const secretBytes = 32;

const newSecret = ({ random }: Pick<World, 'random'>): ClientSecret =>
  new Secret('client_secret', random.bytes(secretBytes).toString('base64url'));

const hashed = (secret: ClientSecret, since: Epoch): SecretHash => ({
  sha256: hash('sha256', secret.reveal(), 'base64url'),
  since,
});

/** RFC 9562 version 4. */
function uuid({ random }: Pick<World, 'random'>): string {
  const bytes = random.bytes(16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const boundsText = ({ grants, subject, scopes, audiences, everyone, serves }: Client): string =>
  [
    `${grants.join(', ')} as ${subject}`,
    `scopes ${scopes.join(' ') || 'none'}`,
    `audiences ${[...audiences, ...(everyone ? ['every service'] : [])].join(' ') || 'none'}`,
    ...(serves.length > 0 ? [`serves ${serves.join(' ')}`] : []),
  ].join('; ');

const taken = (id: string): Fault =>
  new Fault('usage', `there is a client ${id} already`, { hint: 'see: tokeep issuer client list' });

const changed = (id: string): Fault =>
  new Fault('state-conflict', `somebody else changed client ${id} at the same time`, { hint: 'run it again' });
