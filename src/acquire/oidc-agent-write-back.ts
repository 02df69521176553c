import { basename, dirname } from 'node:path';
import { asFault, Fault } from '../fault/fault.ts';
import type { RefreshToken, Secret } from '../token/secret.ts';
import type { Directory, FileFacts } from '../world/files.ts';
import { replaceFile } from '../world/replace-file.ts';
import type { World } from '../world/world.ts';
import { type AgentAccount, readAgentAccount, writeAgentAccount } from './oidc-agent-file.ts';
import { agentSocketPath, loadedAccounts } from './oidc-agent-socket.ts';

/** An account file is a few kilobytes; this leaves room for anything a provider put into it at registration. */
const largestFile = 1024 * 1024;

export interface WriteBack {
  readonly path: string;
  readonly password: Secret<'password'>;
  readonly successor: RefreshToken | Secret<'mytoken'>;
  /** Whether OSG's own timer is switched on, which would use the same account beside us. */
  readonly timerEnabled: () => Promise<boolean>;
  /** The agent that could have the account loaded; default: as {@link agentSocketPath} finds it. */
  readonly socket?: string;
}

/**
 * Puts a new refresh token into the account file of oidc-agent, so that switching back to it works. The file is replaced whole
 * (a temporary file, synced, renamed, the directory synced), keeps its owner, and is 0600 afterwards: agents create it by umask.
 *
 * Throws Fault `agent-file-busy` while an agent has the account loaded or OSG's timer is enabled, or when somebody else wrote
 * the file meanwhile; `agent-file-invalid` when it does not open; `agent-file-unwritten` when it could not be replaced.
 */
export async function writeBackAgentAccount(world: World, order: WriteBack): Promise<void> {
  const { path, password, successor } = order;
  let directory: Directory | undefined;
  try {
    const use = { ...order, refused: 'did not write back to' };
    await refuseWhileInUse(world, use);
    directory = await world.files.openDirectory(dirname(path));
    const before = await readFile(directory, basename(path), path);
    const account = await readAgentAccount(before.text, password);
    await refuseWhileLoaded(world, use, account.name);
    if (account.credential?.equals(successor)) return;
    const text = await writeAgentAccount(fitting(account, successor), password, world.random);
    await replace(world, directory, { path, text, before: before.facts });
  } catch (thrown) {
    throw unwritten(thrown, path);
  } finally {
    await directory?.close();
  }
}

function fitting(account: AgentAccount, successor: WriteBack['successor']): AgentAccount {
  const kind = account.mytokenServer === undefined ? 'refresh_token' : 'mytoken';
  if (successor.kind === kind) return account.withSuccessor(successor);
  throw new Fault(
    'agent-file-unwritten',
    `did not write back to ${account}: it holds a ${kind}, not a ${successor.kind}`,
  );
}

export interface AgentAccountUse extends Pick<WriteBack, 'path' | 'timerEnabled' | 'socket'> {
  /** What is not done while it is in use, such as `did not write back to`. */
  readonly refused: string;
}

/** Throws Fault `agent-file-busy` while an agent has the account of this file loaded, or OSG's timer would use it. */
export async function refuseWhileInUse(world: World, use: AgentAccountUse, name?: string): Promise<void> {
  await refuseWhileLoaded(world, use, name);
  if (await use.timerEnabled()) {
    throw new Fault('agent-file-busy', `${use.refused} ${use.path}: osg-token-renewer.timer is enabled`, {
      hint: 'let only one renewer use the account: systemctl disable --now osg-token-renewer.timer',
    });
  }
}

/** The agent knows the account by the name of its file, or by the name in it. */
async function refuseWhileLoaded(
  world: World,
  { path, socket, refused }: AgentAccountUse,
  name: string | undefined,
): Promise<void> {
  const loaded = await loadedAccounts(world, agentSocketPath(world, socket));
  const found = loaded?.find((account) => account === basename(path) || account === name);
  if (found === undefined) return;
  throw new Fault('agent-file-busy', `${refused} ${path}: a running oidc-agent has ${found} loaded`, {
    hint: `take it out of the agent: oidc-add --remove ${found}`,
  });
}

interface FileAsRead {
  readonly text: string;
  readonly facts: FileFacts;
}

async function readFile(directory: Directory, name: string, path: string): Promise<FileAsRead> {
  const file = await directory.open(name, 'read');
  try {
    const facts = await file.facts();
    if (facts.type !== 'file')
      throw new Fault('agent-file-unwritten', `did not write back to ${path}: it is a ${facts.type}`);
    const bytes = await file.read(largestFile);
    if (bytes === undefined)
      throw new Fault('agent-file-invalid', `${path} is larger than any oidc-agent account file`);
    return { text: bytes.toString('utf8'), facts };
  } finally {
    await file.close();
  }
}

interface Replacement {
  readonly path: string;
  readonly text: string;
  readonly before: FileFacts;
}

async function replace(world: World, directory: Directory, { path, text, before }: Replacement): Promise<void> {
  const name = basename(path);
  await replaceFile(directory, name, {
    bytes: Buffer.from(text, 'utf8'),
    // Agents do not list names that begin with a dot.
    temporary: `.${name}.${world.random.id()}`,
    mode: 0o600,
    keeps: 'durable',
    async dress(file) {
      const mine = await file.facts();
      if (mine.owner !== before.owner || mine.group !== before.group) await file.chown(before.owner, before.group);
    },
    async check() {
      const now = await directory.look(name);
      if (now !== undefined && now.inode === before.inode && now.modifiedAt === before.modifiedAt) return;
      throw new Fault('agent-file-busy', `did not write back to ${path}: somebody else wrote it at the same time`);
    },
  });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there any more',
  EACCES: 'we have no right to its directory or to it',
  EPERM: 'its owner cannot be kept',
  ELOOP: 'it is a symbolic link, or its directory is one',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is mounted read-only',
  EIO: 'the disk failed',
};

function unwritten(thrown: unknown, path: string): Fault {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (thrown instanceof Fault || code === undefined) return asFault(thrown, `writing back to ${path}`);
  return new Fault(
    'agent-file-unwritten',
    `could not write back to ${path}: ${reasons[code] ?? `the system said ${code}`}`,
    {
      hint: 'tokeep has the new refresh token in its own state and tries again; until then oidc-agent must not use the account',
      cause: thrown,
    },
  );
}
