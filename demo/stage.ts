import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { OwnCommands } from '../src/cli/demo/own-commands.ts';
import { millis } from '../src/token/time.ts';
import { realHttp } from '../src/world/real-http.ts';
import { type RunningIssuer, startIssuer } from '../test/peers/start-issuer.ts';

/** Seconds; so short that a renewal is always near. */
export const tokenLife = 8;
export const audience = 'https://storage.example';
const program = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));

/** A directory of its own with an issuer that nobody here wrote; all of it goes when the demo ends. */
export interface Stage extends AsyncDisposable {
  readonly dir: string;
  readonly issuer: RunningIssuer;
  readonly commands: OwnCommands;
  /** Makes a client at the issuer's registration endpoint (RFC 7591) and puts its secret into a file; gives its id. */
  registerRobot(): Promise<{ readonly clientId: string; readonly secretFile: string }>;
  /** Checks a token's signature against the issuer's JWKS, and its issuer and time. Gives its audience. */
  check(token: string): Promise<string>;
}

export async function setStage(): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'tokeep-demo-'));
  // What the issuer keeps, and the CA, then go with it, however far things get.
  process.env['TMPDIR'] = dir;
  try {
    return await furnished(dir);
  } catch (thrown) {
    await rm(dir, { recursive: true, force: true });
    throw thrown;
  }
}

async function furnished(dir: string): Promise<Stage> {
  const issuer = await startIssuer({
    tls: 'throw-away-ca',
    state: 'file',
    rotate: 'always',
    accessTokenLife: tokenLife,
  });
  const http = realHttp({});
  const commands = new OwnCommands(program, dir);
  const ask = async (method: 'GET' | 'POST', path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await http.send({
      method,
      url: new URL(path, issuer.issuer),
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeout: millis(10_000),
      maxBytes: 1024 * 1024,
      connection: 'pooled',
      ...(issuer.caFile === undefined ? {} : { caFile: issuer.caFile }),
    });
    if (answer.kind === 'no-answer') throw answer.fault;
    return JSON.parse(answer.body);
  };
  const metadata = await ask('GET', `${issuer.issuer}/.well-known/openid-configuration`);
  const keys = createLocalJWKSet((await ask('GET', String(metadata['jwks_uri']))) as unknown as JSONWebKeySet);
  return {
    dir,
    issuer,
    commands,
    async registerRobot() {
      const client = await ask('POST', String(metadata['registration_endpoint']), {
        client_name: 'demo robot',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
      });
      const secretFile = join(dir, 'robot.secret');
      await writeFile(secretFile, `${client['client_secret']}\n`, { mode: 0o600 });
      return { clientId: String(client['client_id']), secretFile };
    },
    async check(token) {
      const { payload } = await jwtVerify(token, keys, { issuer: issuer.issuer });
      return [payload.aud ?? []].flat().join(', ');
    },
    async [Symbol.asyncDispose]() {
      await commands[Symbol.asyncDispose]();
      await http.close();
      await issuer.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
