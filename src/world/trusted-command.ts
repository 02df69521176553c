import { dirname, join, normalize } from 'node:path/posix';
import { Fault } from '../fault/fault.ts';
import type { Millis } from '../token/time.ts';
import type { CommandEnd } from './processes.ts';
import type { World } from './world.ts';

/** A command that the configuration names. */
export interface TrustedCommand {
  /** The program by its absolute path, then its arguments. */
  readonly argv: readonly string[];
  readonly stdin?: string;
  /** What the program needs besides PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeout: Millis;
  /** Bytes of output above which it is stopped; 1 MiB unless told. */
  readonly maxOutput?: number;
  readonly signal?: AbortSignal;
}

const maxLinks = 40;

/**
 * Runs a command without a shell and gives its standard output. The program and every directory on the way to it, also
 * through links, must belong to root or to us and be writable by nobody else, so that no other user can choose what we run.
 * The child gets PATH, HOME, LANG and what the caller names, nothing else of our environment.
 *
 * Throws `command-untrusted` before anything is run, `command-failed` when it fails, hangs or says too much. Neither holds
 * arguments or output, which may be secret.
 */
export async function runTrusted(world: World, command: TrustedCommand): Promise<string> {
  return outputOf(await endOfTrusted(world, command), command);
}

/** For who has looked at the end of a command by himself: its output, or `command-failed`. */
export function outputOf(end: CommandEnd, command: TrustedCommand): string {
  if (end.kind === 'exited' && end.status === 0) return end.stdout;
  throw new Fault('command-failed', `running ${command.argv[0]} ${failureOf(end, command)}`, {
    hint: `run it by hand as the user that tokeep runs as; it gets only PATH, HOME and LANG`,
  });
}

/** The same for who understands how the program fails. Throws `command-untrusted` only; what the program says may be secret. */
export async function endOfTrusted(world: World, command: TrustedCommand): Promise<CommandEnd> {
  const [named, ...args] = command.argv;
  if (named === undefined) throw new Fault('command-untrusted', 'a command is empty');
  const file = await trustedProgram(world, named);
  const { stdin, env = {}, timeout, maxOutput = 1024 * 1024, signal } = command;
  return await world.processes.run({
    file,
    args,
    env: { ...env, ...cleanEnvironment(world) },
    timeout,
    maxOutput,
    ...(stdin === undefined ? {} : { stdin }),
    ...(signal === undefined ? {} : { signal }),
  });
}

function cleanEnvironment(world: World): Readonly<Record<string, string>> {
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: world.env['HOME'] ?? '/',
    LANG: 'C.UTF-8',
  };
}

function failureOf(end: CommandEnd, { timeout, maxOutput = 1024 * 1024 }: TrustedCommand): string {
  switch (end.kind) {
    case 'exited':
      return `ended with status ${end.status}`;
    case 'killed':
      return `was ended by ${end.signal}`;
    case 'timed-out':
      return `took longer than ${timeout / 1000} s and was stopped`;
    case 'too-much-output':
      return `printed more than ${maxOutput} bytes and was stopped`;
    case 'not-started':
      return `did not start (${end.reason})`;
  }
}

/** The program's path without links, after every step of the way has been looked at. Throws `command-untrusted`. */
async function trustedProgram(world: World, named: string): Promise<string> {
  if (!named.startsWith('/')) {
    throw new Fault('command-untrusted', `the command ${named} has no absolute path`, { hint: 'write the whole path' });
  }
  let links = 0;
  let done = '/';
  // Normalising first would take `link/..` for nothing; the kernel goes through the link.
  let rest = named.split('/').filter((part) => part !== '' && part !== '.');
  await refuseChangeable(world, done, named);
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    if (part === '..') {
      done = dirname(done);
      continue;
    }
    const path = join(done, part);
    const facts = await world.files.look(path);
    if (facts?.type !== 'link') {
      await refuseChangeable(world, path, named);
      done = path;
      continue;
    }
    links++;
    if (links > maxLinks) throw new Fault('command-untrusted', `the command ${named} is a circle of links`);
    const target = await world.files.readLink(path);
    if (target.startsWith('/')) done = '/';
    rest = [...target.split('/').filter((step) => step !== '' && step !== '.'), ...rest];
  }
  const facts = await world.files.facts(done);
  if (facts?.type !== 'file') throw new Fault('command-untrusted', `the command ${named} is not a file`);
  return normalize(done);
}

/** A sticky directory such as /tmp is refused too: others cannot replace the file there, but they may have put it there. */
async function refuseChangeable(world: World, path: string, named: string): Promise<void> {
  const facts = await world.files.look(path);
  const of = path === named ? `the command ${named}` : `${path}, on the way to the command ${named},`;
  if (facts === undefined) throw new Fault('command-untrusted', `${of} does not exist`);
  if (facts.owner !== 0 && facts.owner !== world.user.uid) {
    throw new Fault('command-untrusted', `${of} belongs to user ${facts.owner}, who could change what is run`, {
      hint: `chown root ${path}`,
    });
  }
  if ((facts.mode & 0o022) !== 0) {
    throw new Fault(
      'command-untrusted',
      `${of} can be written by others (mode ${facts.mode.toString(8).padStart(4, '0')})`,
      {
        hint: `chmod go-w ${path}, or put the command elsewhere`,
      },
    );
  }
}
