import { dirname } from 'node:path';
import { Fault } from '../fault/fault.ts';
import { type Millis, seconds } from '../token/time.ts';
import type { FileFacts } from '../world/files.ts';
import type { LocalSocketEnd } from '../world/local-socket.ts';
import type { World } from '../world/world.ts';
import { quoted } from './issuer-words.ts';
import { type AgentReply, readAgentReply } from './oidc-agent-reply.ts';

/** An agent does one thing at a time, HTTP calls included: one that hangs would make everybody wait for minutes. */
const agentPatience: Millis = seconds(30);

/** More than an agent can put into one message of its own. */
const largestReply = 1024 * 1024;

const othersMayWrite = 0o022;
const sticky = 0o1000;

/** Where the agent listens: what the account says, else `OIDC_SOCK`, else the place that oidc-agent-service uses. */
export function agentSocketPath(world: World, configured?: string): string {
  const named = configured ?? world.env['OIDC_SOCK'];
  if (named !== undefined && named !== '') return named;
  const temporary = world.env['TMPDIR'] || '/tmp';
  return `${temporary}/oidc-agent-service-${world.user.uid}/oidc-agent.sock`;
}

export interface AgentQuestion {
  readonly socket: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

export type AgentAnswer =
  | Extract<LocalSocketEnd, { kind: 'answer' }>
  | { readonly kind: 'none'; readonly sent: 'no' | 'perhaps'; readonly fault: Fault };

/**
 * Asks the agent one thing in its plain mode: a JSON object in, a JSON object out, one connection for each. The rights of the
 * socket are all the authentication there is, so a socket somebody else could have put there is not asked.
 */
export async function askAgent(world: World, { socket, request, signal }: AgentQuestion): Promise<AgentAnswer> {
  const doubt = await socketDoubt(world, socket);
  if (doubt !== undefined) return { kind: 'none', sent: 'no', fault: doubt };
  const end = await world.sockets.ask({
    path: socket,
    message: JSON.stringify(request),
    timeout: agentPatience,
    maxBytes: largestReply,
    ...(signal === undefined ? {} : { signal }),
  });
  switch (end.kind) {
    case 'answer':
      return end;
    case 'no-connection':
      return { kind: 'none', sent: end.code === 'ECONNRESET' ? 'perhaps' : 'no', fault: notThere(socket, end.code) };
    case 'timed-out':
      return { kind: 'none', sent: 'perhaps', fault: silent(socket) };
    case 'too-much-output':
      return { kind: 'none', sent: 'perhaps', fault: unreadable(socket, `more than ${largestReply} bytes`) };
  }
}

/** The accounts an agent has loaded; undefined when no agent runs there. Throws Fault when one runs and does not say. */
export async function loadedAccounts(world: World, socket: string): Promise<readonly string[] | undefined> {
  const answer = await askAgent(world, { socket, request: { request: 'loaded_accounts' } });
  if (answer.kind === 'none') {
    if (answer.sent === 'no') return undefined;
    throw answer.fault;
  }
  const reply = readAgentReply(answer.text);
  const info = reply?.error === undefined ? reply?.members['info'] : undefined;
  if (!Array.isArray(info)) throw unreadable(socket, whatItSaid(reply));
  return info.filter((name) => typeof name === 'string');
}

function whatItSaid(reply: AgentReply | undefined): string {
  if (reply === undefined) return 'something that is not JSON';
  return reply.error === undefined ? 'no list of accounts' : quoted(reply.error);
}

/** Why the socket is not to be asked, if so. */
async function socketDoubt(world: World, socket: string): Promise<Fault | undefined> {
  let facts: FileFacts | undefined;
  let place: FileFacts | undefined;
  try {
    facts = await world.files.facts(socket);
    place = await world.files.facts(dirname(socket));
  } catch (thrown) {
    return notThere(socket, (thrown as NodeJS.ErrnoException).code ?? 'unknown');
  }
  if (facts === undefined || place === undefined) return notThere(socket, 'ENOENT');
  if (facts.type !== 'socket') return unsafe(`${socket} is not a socket`);
  const trusted = (owner: number) => owner === world.user.uid || owner === 0;
  if (!trusted(facts.owner)) return unsafe(`${socket} belongs to user ${facts.owner}, not to us`);
  if (!trusted(place.owner)) return unsafe(`the directory of ${socket} belongs to user ${place.owner}, not to us`);
  if ((place.mode & othersMayWrite) !== 0 && (place.mode & sticky) === 0) {
    return unsafe(`others may write to the directory of ${socket} and put another socket there`);
  }
  return undefined;
}

const unsafe = (found: string): Fault =>
  new Fault('agent-unreachable', `did not ask oidc-agent: ${found}`, {
    hint: 'run the agent as the same user as tokeep, with its socket in a directory of its own (mode 0700)',
  });

function notThere(socket: string, code: string): Fault {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such socket',
    ECONNREFUSED: 'nobody listens there any more',
    EACCES: 'we have no right to it',
    ECONNRESET: 'it closed the connection without a word',
  };
  return new Fault(
    'agent-unreachable',
    `no oidc-agent at ${socket}: ${reasons[code] ?? `connecting failed (${code})`}`,
    {
      hint: 'start it (`oidc-agent-service start`), or name its socket with `socket:` in the account or OIDC_SOCK',
    },
  );
}

const silent = (socket: string): Fault =>
  new Fault('agent-unreachable', `the oidc-agent at ${socket} did not answer within ${agentPatience / 1000} s`, {
    hint: 'it serves one client at a time and may be waiting for a person: run it with --no-autoreauthenticate and --no-autoload',
  });

const unreadable = (socket: string, found: string): Fault =>
  new Fault('agent-unreachable', `asked the oidc-agent at ${socket}, and it answered with ${found}`);
