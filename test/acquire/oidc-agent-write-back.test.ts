import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AgentAccount, readAgentAccount, writeAgentAccount } from '../../src/acquire/oidc-agent-file.ts';
import { writeBackAgentAccount } from '../../src/acquire/oidc-agent-write-back.ts';
import { Secret } from '../../src/token/secret.ts';
import type { OpenFile } from '../../src/world/files.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import { startOidcAgent } from '../peers/oidc-agent-server.ts';

const password = new Secret('password', 'pw');
const successor = new Secret('refresh_token', 'new');
const world = realWorld();
const timerEnabled = async () => false;

async function accountFile(document: Record<string, unknown> = { name: 'acct1', refresh_token: 'old', kept: 1 }) {
  const directory = await mkdtemp(join(tmpdir(), 'tokeep-agent-'));
  const path = join(directory, 'acct1');
  await writeFile(path, await writeAgentAccount(new AgentAccount(document, '5.3.3'), password, world.random));
  await chmod(path, 0o644);
  return {
    directory,
    path,
    socket: join(directory, 'no-agent.sock'),
    content: async () => JSON.parse((await readAgentAccount(await readFile(path, 'utf8'), password)).reveal()),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

/** A world whose files fail at one point of writing. */
function failing(change: (file: OpenFile) => Partial<OpenFile>): World {
  return {
    ...world,
    files: {
      ...world.files,
      async openDirectory(path) {
        const directory = await world.files.openDirectory(path);
        return {
          ...directory,
          async createExclusive(name, mode) {
            const file = await directory.createExclusive(name, mode);
            return { ...file, ...change(file) };
          },
        };
      },
    },
  };
}
const systemError = (code: string) => Object.assign(new Error(code), { code });

test('a successor is written back whole, for the owner alone, with everything else kept', async () => {
  await using file = await accountFile();
  await writeBackAgentAccount(world, { ...file, password, successor, timerEnabled });
  assert.deepEqual(await file.content(), { name: 'acct1', refresh_token: 'new', kept: 1 });
  assert.equal((await stat(file.path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(file.directory), ['acct1']);
  const before = (await stat(file.path)).ino;
  await writeBackAgentAccount(world, { ...file, password, successor, timerEnabled });
  assert.equal((await stat(file.path)).ino, before, 'what is there already is not written again');
});

test('nothing is written while an agent has the account loaded', async () => {
  await using file = await accountFile();
  await using agent = await startOidcAgent(() => ({ status: 'success', info: ['other', 'acct1'] }));
  const order = { path: file.path, socket: agent.socket, password, successor, timerEnabled };
  await assert.rejects(writeBackAgentAccount(world, order), { code: 'agent-file-busy', message: /has acct1 loaded/ });
  assert.equal((await file.content()).refresh_token, 'old');
});

test('an agent that knows other accounts does not stand in the way', async () => {
  await using file = await accountFile();
  await using agent = await startOidcAgent(() => ({ status: 'success', info: ['other'] }));
  await writeBackAgentAccount(world, { path: file.path, socket: agent.socket, password, successor, timerEnabled });
  assert.equal((await file.content()).refresh_token, 'new');
});

test('nothing is written while the timer of osg-token-renewer is enabled', async () => {
  await using file = await accountFile();
  const order = { ...file, password, successor, timerEnabled: async () => true };
  await assert.rejects(writeBackAgentAccount(world, order), { code: 'agent-file-busy', message: /timer is enabled/ });
});

test('a full or failing disk leaves the old file whole and no litter', async () => {
  const faults: readonly ((file: OpenFile) => Partial<OpenFile>)[] = [
    () => ({ write: async () => Promise.reject(systemError('ENOSPC')) }),
    () => ({ write: async () => 0 }),
    () => ({ sync: async () => Promise.reject(systemError('EIO')) }),
  ];
  for (const fault of faults) {
    await using file = await accountFile();
    const order = { ...file, password, successor, timerEnabled };
    await assert.rejects(writeBackAgentAccount(failing(fault), order), { code: 'agent-file-unwritten' });
    assert.equal((await file.content()).refresh_token, 'old');
    assert.deepEqual(await readdir(file.directory), ['acct1']);
  }
});

test('short writes still make a whole file', async () => {
  await using file = await accountFile();
  const short = failing((open) => ({ write: (bytes) => open.write(bytes.subarray(0, 7)) }));
  await writeBackAgentAccount(short, { ...file, password, successor, timerEnabled });
  assert.equal((await file.content()).refresh_token, 'new');
});

test('what somebody else writes meanwhile is not overwritten', async () => {
  await using file = await accountFile();
  const theirs = await writeAgentAccount(
    new AgentAccount({ refresh_token: 'theirs' }, '5.3.3'),
    password,
    world.random,
  );
  const meanwhile = failing((open) => ({
    async sync() {
      await open.sync();
      await rm(file.path);
      await writeFile(file.path, theirs);
    },
  }));
  const order = { ...file, password, successor, timerEnabled };
  await assert.rejects(writeBackAgentAccount(meanwhile, order), { code: 'agent-file-busy', message: /same time/ });
  assert.equal((await file.content()).refresh_token, 'theirs');
});

test('links, strangers to the format and wrong passwords are refused with a sentence', async () => {
  await using file = await accountFile();
  const link = join(file.directory, 'link');
  await symlink(file.path, link);
  const order = { socket: file.socket, password, successor, timerEnabled };
  await assert.rejects(writeBackAgentAccount(world, { ...order, path: link }), { message: /symbolic link/ });
  const gone = join(file.directory, 'gone');
  await assert.rejects(writeBackAgentAccount(world, { ...order, path: gone }), { message: /not there any more/ });
  const wrong = { ...order, path: file.path, password: new Secret('password', 'no') };
  await assert.rejects(writeBackAgentAccount(world, wrong), { code: 'agent-file-invalid' });
  const mytoken = { ...order, path: file.path, successor: new Secret('mytoken', 'mt') };
  await assert.rejects(writeBackAgentAccount(world, mytoken), { message: /holds a refresh_token, not a mytoken/ });
});
