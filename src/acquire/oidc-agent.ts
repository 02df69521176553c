import type { OidcAgentAccount } from '../config/config.ts';
import type { FaultCode } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import type { Grant, GrantContext, GrantOutcome, NoAnswer, RawAnswer, TokenRequest } from './grant.ts';
import { cleanWords } from './issuer-words.ts';
import { judgeTokenAnswer } from './judge.ts';
import { type AgentReply, readAgentReply } from './oidc-agent-reply.ts';
import { agentSocketPath, askAgent } from './oidc-agent-socket.ts';

type Context = GrantContext<OidcAgentAccount>;

/**
 * Set on our own raw answer, never by an agent: the token was asked for with a scope or an audience. The `expires_at` that
 * comes with such a token is the one of another token, of the agent's cache.
 */
const narrowed = 'x-narrowed';

/** Asks a running oidc-agent, which has the refresh token and looks after it itself. */
export const oidcAgentGrant: Grant<OidcAgentAccount> = {
  name: 'oidc_agent',
  asks: 'issuer',
  spends: 'nothing',
  // One agent serves one request at a time, whichever issuer it is for.
  issuerKey: (account) => `oidc-agent:${account.socket ?? ''}`,
  send,
  salvage: () => ({ successor: undefined, credentialExpiresIn: undefined }),
  judge,
};

async function send({ world, account, signal }: Context, request: TokenRequest): Promise<RawAnswer | NoAnswer> {
  const socket = agentSocketPath(world, account.socket);
  const fields = wishFields(request);
  const answer = await askAgent(world, {
    socket,
    request: {
      request: 'access_token',
      account: account.shortname,
      // Always a new one: we ask when the token at hand has aged, and the agent would hand out that same one again.
      min_valid_period: -1,
      application_hint: 'tokeep',
      ...fields,
    },
    signal,
  });
  if (answer.kind === 'none') return answer;
  const headers = Object.keys(fields).length > 0 ? { [narrowed]: 'yes' } : {};
  const { text: body, sentAt, receivedAt } = answer;
  const asked = { url: `oidc-agent at ${socket}`, secrets: [] };
  return { kind: 'raw', status: 200, headers, body, sentAt, receivedAt, asked };
}

function wishFields({ scope, audience }: TokenRequest): { readonly scope?: string; readonly audience?: string } {
  const aud = audience.raw ?? audience.audiences.join(' ');
  return {
    ...(scope.kind === 'scopes' ? { scope: scope.scopes.join(' ') } : {}),
    ...(scope.kind === 'blank' ? { scope: ' ' } : {}),
    ...(aud === '' ? {} : { audience: aud }),
  };
}

function judge(raw: RawAnswer, { account }: Context): GrantOutcome {
  const reply = readAgentReply(raw.body);
  if (reply === undefined) return nonsense(account);
  if (reply.error !== undefined) return refusal(account, cleanWords(reply.error));
  return judgeTokenAnswer(asTokenAnswer(reply, raw), { account: account.name, credential: undefined });
}

/** The shape of a token endpoint's answer, so that the token is looked at as any other. */
function asTokenAnswer(reply: AgentReply, raw: RawAnswer): RawAnswer {
  const expires_in = raw.headers[narrowed] === undefined ? lifeOf(reply, raw) : undefined;
  const body = JSON.stringify({ access_token: reply.members['access_token'], token_type: 'Bearer', expires_in });
  return { ...raw, headers: { 'content-type': 'application/json' }, body };
}

/** In seconds. `expires_at` is 0 where the issuer gave no `expires_in`: then the agent does not know either. */
function lifeOf(reply: AgentReply, raw: RawAnswer): number | undefined {
  const left = Math.floor(Number(reply.members['expires_at']) - raw.sentAt / 1000);
  return left > 0 ? left : undefined;
}

interface Reading {
  readonly words: RegExp;
  readonly code: FaultCode;
  readonly oauthError: string;
  /** `{}` is the agent's name for the account. */
  readonly hint: string;
}

const load = 'load it into the agent: oidc-add {}';
const reauthenticate = 'log in again: oidc-gen --reauthenticate {}';
const authorise = 'check the account with: oidc-gen --print {}';

/** The agent's sentences, as its versions 4 and 5 write them; the first that fits counts. None of them is the end: people act at the agent, not here. */
const readings: readonly Reading[] = [
  {
    words: /no account configured|account not loaded|cancell?ed password prompt|operation forbidden/i,
    code: 'login-needed',
    oauthError: 'account_not_loaded',
    hint: load,
  },
  {
    words: /invalid_grant|invalid_token|malformed refresh token|no refresh token/i,
    code: 'login-needed',
    oauthError: 'invalid_grant',
    hint: reauthenticate,
  },
  {
    words: /invalid_client|unauthorized_client/i,
    code: 'client-refused',
    oauthError: 'invalid_client',
    hint: authorise,
  },
  {
    words: /invalid_scope/i,
    code: 'request-refused',
    oauthError: 'invalid_scope',
    hint: 'ask for scopes that the login allows',
  },
  {
    words: /invalid_target|invalid_request/i,
    code: 'request-refused',
    oauthError: 'invalid_request',
    hint: 'ask for another audience or scope',
  },
];

function refusal(account: OidcAgentAccount, said: string): GrantOutcome {
  const sentence = `asked oidc-agent for a token of ${account.shortname}, and it said: ${said}`;
  if (/^agent locked/i.test(said)) {
    const fault = new Fault('login-needed', sentence, { hint: 'unlock the agent: oidc-add --unlock' });
    return { kind: 'later', fault, retryAfter: undefined };
  }
  const reading = readings.find(({ words }) => words.test(said));
  if (reading === undefined) {
    const code = /status code 429|status code 503/i.test(said) ? 'issuer-overloaded' : 'issuer-fault';
    return { kind: 'later', fault: new Fault(code, sentence), retryAfter: undefined };
  }
  const fault = new Fault(reading.code, sentence, { hint: reading.hint.replace('{}', account.shortname) });
  // The credential is the agent's; to us nothing has died, and a login made there is seen at the next try.
  return { kind: 'refused', fault, oauthError: reading.oauthError, credentialDead: false };
}

function nonsense(account: OidcAgentAccount): GrantOutcome {
  const sentence = `asked oidc-agent for a token of ${account.shortname}, and it answered with something that is not JSON`;
  return { kind: 'later', fault: new Fault('issuer-nonsense', sentence), retryAfter: undefined };
}
