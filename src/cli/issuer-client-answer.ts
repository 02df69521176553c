import { resolve } from 'node:path';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { type Client, type ClientGrant, type ClientKey, clientGrants } from '../issue/client.ts';
import { ClientAdmin } from '../issue/client-admin.ts';
import { readClientKey } from '../issue/client-key.ts';
import type { OpenIssuer } from '../mint/issuer.ts';
import { wholeReason } from '../mint/policy-refusal.ts';
import { timestamp } from '../observe/printable.ts';
import type { ClientSecret } from '../token/secret.ts';
import type { Millis } from '../token/time.ts';
import type { Context } from './context.ts';
import { whoAsks, withIssuer } from './issuer-place.ts';
import { tryTokenPlace, writeTokenFile } from './write-token-file.ts';

export interface AddClientOptions {
  readonly dir?: string;
  readonly id?: string;
  readonly grant?: readonly string[];
  readonly scope?: readonly string[];
  readonly audience?: readonly string[];
  readonly everyone?: true;
  readonly subject?: string;
  readonly lifetime?: Millis;
  readonly serves?: readonly string[];
  readonly publicKey?: string;
  readonly secretFile?: string;
}

export interface RotateSecretOptions {
  readonly dir?: string;
  readonly grace: Millis;
  readonly secretFile?: string;
}

const largestKey = 64 * 1024;

/** `tokeep issuer client add NAME`. */
export async function addClient(context: Context, name: string, options: AddClientOptions): Promise<ExitCode> {
  const { id, scope, audience, everyone, subject, lifetime, serves, publicKey, secretFile } = options;
  const grants = grantsOf(options);
  if (publicKey !== undefined && secretFile !== undefined) {
    throw new Fault('usage', 'a client with --public-key has no secret to write to --secret-file');
  }
  // Before root becomes the owner of the issuer, who may not see the file.
  const key = publicKey === undefined ? undefined : await readKeyFile(context, resolve(publicKey));
  return await withAdmin(context, options.dir, async (admin, issuer) => {
    if (secretFile !== undefined) await tryTokenPlace(context.world, resolve(secretFile), 'client_secret');
    const { client, secret } = await admin.add({
      name,
      grants,
      scopes: scope ?? [],
      audiences: audience ?? [],
      everyone: everyone ?? false,
      serves: serves ?? [],
      ...(id === undefined ? {} : { id }),
      ...(subject === undefined ? {} : { subject }),
      ...(lifetime === undefined ? {} : { lifetime }),
      ...(key === undefined ? {} : { key }),
    });
    for (const remark of await remarksOn(issuer, client)) await context.warn(remark);
    await handOver(context, client, secret, secretFile);
    await context.say(`added client ${client.id} (${name})`);
    return exit.fine;
  });
}

/** A service that only looks at tokens of others asks for none of its own. */
function grantsOf({ grant, serves, scope, audience }: AddClientOptions): readonly ClientGrant[] {
  const onlyServes = serves !== undefined && scope === undefined && audience === undefined;
  const grants = grant ?? (onlyServes ? [] : ['client_credentials']);
  const odd = grants.find((word) => !clientGrants.some((known) => known === word));
  if (odd === undefined) return grants as readonly ClientGrant[];
  throw new Fault('usage', `there is no grant ${JSON.stringify(odd)}`, { hint: `known: ${clientGrants.join(', ')}` });
}

async function readKeyFile({ world }: Context, path: string): Promise<ClientKey> {
  const text = await world.files.readText(path, largestKey).catch((thrown: NodeJS.ErrnoException) => {
    throw new Fault('usage', `the public key ${path} could not be read (${thrown.code ?? 'unknown'})`);
  });
  if (text === undefined) throw new Fault('usage', `there is no public key at ${path}`);
  return readClientKey(text, path);
}

/** What the policy of the issuer will refuse, however the client asks: said now, and not when its first job fails. */
async function remarksOn(issuer: OpenIssuer, client: Client): Promise<readonly string[]> {
  if (client.grants.length === 0) return [];
  if (client.audiences.length === 0 && !client.everyone)
    return ['it can get nothing: without --audience there is no service that its tokens may be for'];
  if (client.scopes.length === 0)
    return ['its tokens will allow nothing: without --scope there is nothing that they may say'];
  const plain = (list: readonly string[]) => list.filter((one) => !one.includes('*'));
  const asked = { groups: [], claims: {}, by: 'client add', deliveredTo: [] };
  const audiences = plain(client.audiences).slice(0, 1);
  if (!client.grants.includes('client_credentials') || audiences.length === 0) return [];
  const { subject } = client;
  const answer = await issuer.judge({ ...asked, subject, audiences, everyone: false, scopes: plain(client.scopes) });
  return answer.kind === 'refused' ? [`as issuer.yaml stands this client will be refused: ${wholeReason(answer)}`] : [];
}

/** The one moment in which the secret is there. */
async function handOver(
  context: Context,
  client: Client,
  secret: ClientSecret | undefined,
  secretFile: string | undefined,
): Promise<void> {
  if (secret !== undefined && secretFile !== undefined) {
    await writeTokenFile(context.world, resolve(secretFile), secret).catch((thrown: Fault) => {
      throw new Fault(thrown.code, `${thrown.message}; the client is there, and its secret is lost`, {
        hint: `tokeep issuer client rotate-secret ${client.id} --grace 1s`,
      });
    });
  }
  const shown = secretFile === undefined ? secret?.reveal() : undefined;
  if (context.options.json) {
    await context.printJson({ ...factsOf(client), ...(shown === undefined ? {} : { client_secret: shown }) });
    return;
  }
  await context.print(`client_id ${client.id}`);
  if (shown !== undefined) await context.print(`client_secret ${shown}`);
}

/** `tokeep issuer client list`. */
export async function listClients(context: Context, dir: string | undefined): Promise<ExitCode> {
  return await withAdmin(context, dir, async (admin) => {
    const clients = await admin.all();
    if (context.options.json) {
      await context.printJson(clients.map(factsOf));
      return exit.fine;
    }
    const header = ['CLIENT', 'NAME', 'PROOF', 'GRANTS', 'AUDIENCES', 'SCOPES'];
    const lines = [header, ...clients.map(columnsOf)];
    const widths = header.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
    for (const line of lines) {
      await context.print(
        line
          .map((text, at) => text.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd(),
      );
    }
    return exit.fine;
  });
}

const columnsOf = ({ id, name, proof, grants, audiences, everyone, scopes }: Client): readonly string[] => [
  id,
  name,
  proof.kind,
  grants.join(',') || '-',
  [...audiences, ...(everyone ? ['(every service)'] : [])].join(',') || '-',
  scopes.join(' ') || '-',
];

/** Everything but hashes, which are for nobody. */
function factsOf({ proof, lifetime, addedAt, ...client }: Client): object {
  const proves =
    proof.kind === 'key'
      ? { proof: 'key', jwk: proof.jwk }
      : {
          proof: 'secret',
          secrets: proof.secrets.map(({ since, until }) => ({
            since: timestamp(since),
            until: until === undefined ? null : timestamp(until),
          })),
        };
  return {
    ...client,
    added: timestamp(addedAt),
    lifetimeSeconds: lifetime === undefined ? null : lifetime / 1000,
    ...proves,
  };
}

/** `tokeep issuer client rotate-secret ID`. */
export async function rotateSecret(context: Context, id: string, options: RotateSecretOptions): Promise<ExitCode> {
  return await withAdmin(context, options.dir, async (admin) => {
    const { secretFile } = options;
    if (secretFile !== undefined) await tryTokenPlace(context.world, resolve(secretFile), 'client_secret');
    const { client, secret, until } = await admin.rotateSecret(id, options.grace);
    await handOver(context, client, secret, secretFile);
    await context.say(`the secret of ${id} before this one is good until ${timestamp(until)}`);
    return exit.fine;
  });
}

/** `tokeep issuer client remove ID`. */
export async function removeClient(context: Context, id: string, dir: string | undefined): Promise<ExitCode> {
  return await withAdmin(context, dir, async (admin) => {
    const { name } = await admin.remove(id);
    await context.say(`client ${id} (${name}) gets nothing more; tokens that it has live until they end`);
    return exit.fine;
  });
}

async function withAdmin(
  context: Context,
  dir: string | undefined,
  work: (admin: ClientAdmin, issuer: OpenIssuer) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { world } = context;
  const by = `admin ${whoAsks(world)}`;
  return await withIssuer(
    context,
    dir,
    async (issuer) => await work(await ClientAdmin.open({ world, issuer, by }), issuer),
  );
}
