import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../../fault/fault.ts';
import { KeyCache } from '../../verify/key-cache.ts';
import { strictTrust } from '../../verify/trust.ts';
import type { VerifiedToken } from '../../verify/verification.ts';
import { Verifier } from '../../verify/verifier.ts';
import type { World } from '../../world/world.ts';
import { OwnCommands } from './own-commands.ts';

/** Seconds; so short that a renewal is always near. */
export const tokenLife = 12;
/** Seconds that a new key is published before it may sign: days, where services keep keys for hours. */
export const keysAhead = 3;

interface ShownToken {
  /** How it comes about, for the table. */
  readonly way: string;
  readonly audience: string;
}

const storage = 'https://se.example';

/** What is kept fresh, by the names in the configuration. */
export const tokens = {
  data: { way: 'client credentials', audience: storage },
  run7: { way: 'data, exchanged', audience: storage },
  ce1: { way: 'signed here, for one CE', audience: 'ce1.example:9619' },
  ce2: { way: 'signed here, for one CE', audience: 'ce2.example:9619' },
  ce3: { way: 'signed here, for one CE', audience: 'ce3.example:9619' },
} as const satisfies Record<string, ShownToken>;

export type TokenName = keyof typeof tokens;

/** A private directory for an issuer, its server, and somebody who keeps tokens of it fresh; all of it goes with the stage. */
export class IssuerStage implements AsyncDisposable {
  readonly dir: string;
  /** The URL of the issuer, where its server listens. */
  readonly issuer: string;
  readonly commands: OwnCommands;
  readonly #world: World;

  static async open(world: World, program: string): Promise<IssuerStage> {
    const dir = await mkdtemp(join(tmpdir(), 'tokeep-demo-')).catch((cause: NodeJS.ErrnoException) => {
      throw new Fault('demo-failed', `no directory could be made in ${tmpdir()} (${cause.code ?? 'unknown'})`, {
        hint: 'name another place with TMPDIR',
        cause,
      });
    });
    return new IssuerStage(world, dir, `http://127.0.0.1:${await freePort()}`, program);
  }

  private constructor(world: World, dir: string, issuer: string, program: string) {
    this.#world = world;
    this.dir = dir;
    this.issuer = issuer;
    this.commands = new OwnCommands(program, dir);
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  tokenFile(name: TokenName): string {
    return this.path(`${name}.token`);
  }

  /** Before there is anything to keep, so that commands find a configuration. */
  async writeNothing(): Promise<void> {
    await writeFile(this.path('config.yaml'), 'accounts: {}\n');
  }

  async shortenRotation(): Promise<void> {
    const times = `rotation: { ahead: ${keysAhead}s, behind: ${keysAhead}s, life: 182d }\n`;
    await appendFile(this.path('state/issuers/default/issuer.yaml'), times);
  }

  async writeConfig(): Promise<void> {
    const rows = Object.keys(tokens).filter((name) => name.startsWith('ce'));
    await writeFile(this.path('ces.yaml'), rows.map((name) => `- { name: ${name}, host: ${name}.example }\n`).join(''));
    await writeFile(this.path('config.yaml'), configText(this));
  }

  /** Is the delivered token what it should be, by the keys that the server shows at this moment? Throws a `Fault` where not. */
  async check(name: TokenName): Promise<VerifiedToken> {
    const { clock } = this.#world;
    const { audience } = tokens[name];
    const text = (await readFile(this.tokenFile(name), 'utf8')).trim();
    const trust = { ...strictTrust, issuer: this.issuer, audiences: [audience], keys: { kind: 'discovered' } } as const;
    const verifier = new Verifier({ trusted: [trust], keys: new KeyCache({ world: this.#world }), clock });
    const answer = await verifier.verify(text);
    if (answer.kind === 'refused') throw new Fault('demo-failed', `the delivered token is not good: ${answer.why}`);
    return answer.token;
  }

  /** The kids that the server shows. */
  async publishedKeys(): Promise<readonly string[]> {
    const keys = new KeyCache({ world: this.#world });
    keys.watch(this.issuer, { kind: 'discovered' });
    await keys.fetch(this.issuer);
    return [...(keys.look(this.issuer)?.byKid.keys() ?? [])];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.commands[Symbol.asyncDispose]();
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

const configText = ({ issuer, dir }: IssuerStage): string => `
accounts:
  robot:
    grant: client_credentials
    issuer: ${issuer}
    client_id: client-robot
    client_secret: { file: ${JSON.stringify(`${dir}/robot.secret`)} }
  smaller:
    grant: token_exchange
    issuer: ${issuer}
    client_id: client-robot
    client_secret: { file: ${JSON.stringify(`${dir}/robot.secret`)} }
    subject: data
  vo:
    grant: signing_key
    issuer: ${issuer}
    keys: ${JSON.stringify(`${dir}/state/issuers/default`)}
tokens:
  data:
    account: robot
    scope: ["storage.read:/"]
    audience: ${storage}
    deliver: [{ file: ${JSON.stringify(`${dir}/data.token`)} }]
  run7:
    account: smaller
    scope: ["storage.read:/run7"]
    audience: ${storage}
    deliver: [{ file: ${JSON.stringify(`${dir}/run7.token`)} }]
  "{name}":
    for_each: { file: ${JSON.stringify(`${dir}/ces.yaml`)} }
    account: vo
    subject: pilot-{name}
    audience: "{host}:9619"
    scope: [compute.read, compute.create]
    lifetime: ${tokenLife}s
    deliver: [{ file: ${JSON.stringify(`${dir}/{name}.token`)} }]
`;

/** One that nothing listens at, most likely also a moment later. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Fault('bug', 'a server that listens has no port');
  return address.port;
}
