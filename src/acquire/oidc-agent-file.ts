import { inspect } from 'node:util';
import { Fault } from '../fault/fault.ts';
import { type ClientSecret, type RefreshToken, Secret } from '../token/secret.ts';
import type { Random } from '../world/random.ts';
import { parseObject } from './answer-json.ts';
import { openAgentFile, sealAgentFile } from './oidc-agent-sealing.ts';

type Document = Readonly<Record<string, unknown>>;

/**
 * An account as oidc-agent keeps it. Everything the file says stays in it, also what tokeep does not know, so that the agent
 * finds its own when the account is written back; that part is private, since it may hold passwords and registration tokens.
 */
export class AgentAccount {
  readonly name: string | undefined;
  /** As written: agents of version 4 put a slash at the end, whatever the issuer calls itself. */
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: ClientSecret | undefined;
  /** A mytoken, where the account belongs to a Mytoken server. */
  readonly credential: RefreshToken | Secret<'mytoken'> | undefined;
  readonly mytokenServer: string | undefined;
  /** Where the issuer's metadata is, if not at its usual place. */
  readonly configEndpoint: string | undefined;
  readonly deviceAuthorizationEndpoint: string | undefined;
  readonly caFile: string | undefined;
  /** What was asked for at login. */
  readonly scope: string | undefined;
  /** What the agent asks for when it refreshes; `scope` without it. */
  readonly refreshScope: string | undefined;
  readonly audience: string | undefined;
  /** A client shared by all users of oidc-agent: it has no secret worth the name. */
  readonly publicClient: boolean;
  /** The agent that wrote the file. */
  readonly version: string;
  readonly #document: Document;

  constructor(document: Document, version: string) {
    const text = (...keys: readonly string[]) => textOf(document, keys);
    const clientSecret = text('client_secret');
    const credential = text('refresh_token');
    this.#document = document;
    this.version = version;
    this.name = text('name');
    this.issuer = text('issuer_url', 'issuer');
    this.clientId = text('client_id');
    this.clientSecret = clientSecret === undefined ? undefined : new Secret('client_secret', clientSecret);
    this.mytokenServer = text('mytoken_url');
    const kind = this.mytokenServer === undefined ? 'refresh_token' : 'mytoken';
    this.credential = credential === undefined ? undefined : (new Secret(kind, credential) as RefreshToken);
    this.configEndpoint = text('config_endpoint');
    this.deviceAuthorizationEndpoint = text('device_authorization_endpoint');
    this.caFile = text('cert_path');
    this.scope = text('auth_scope', 'scope');
    this.refreshScope = text('refresh_scope');
    this.audience = text('audience');
    this.publicClient = ['1', 'true'].includes(String(document['uses_pub_client']));
  }

  /** The same account with the refresh token or mytoken that took the place of its own; everything else stays. */
  withSuccessor(successor: RefreshToken | Secret<'mytoken'>): AgentAccount {
    return new AgentAccount({ ...this.#document, refresh_token: successor.reveal() }, this.version);
  }

  /** The JSON text that goes into the sealed file. */
  reveal(): string {
    return JSON.stringify(this.#document);
  }

  toString(): string {
    return `oidc-agent account ${this.name ?? 'without a name'}`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** The first of the members that is there; oidc-agent writes an empty text for what is absent. */
function textOf(document: Document, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = document[key];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** Opens the text of an oidc-agent account file. Throws Fault `agent-file-invalid`: wrong password, another format, damage. */
export async function readAgentAccount(file: string, password: Secret<'password'>): Promise<AgentAccount> {
  const { text, version } = await openAgentFile(file, password);
  const document = parseObject(text);
  if (document === null) {
    throw new Fault('agent-file-invalid', 'the oidc-agent account file opens, but holds no JSON object');
  }
  return new AgentAccount(document, version);
}

/** The account as the text of a file that oidc-agent opens with the same password. */
export function writeAgentAccount(
  account: AgentAccount,
  password: Secret<'password'>,
  random: Random,
): Promise<string> {
  return sealAgentFile({ text: account.reveal(), version: account.version }, password, random);
}
