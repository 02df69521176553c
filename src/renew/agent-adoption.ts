import { type AgentAccount, readAgentAccount } from '../acquire/oidc-agent-file.ts';
import { refuseWhileInUse, writeBackAgentAccount } from '../acquire/oidc-agent-write-back.ts';
import type { Account, RefreshTokenAccount } from '../config/config.ts';
import { readSecret } from '../config/secret-source.ts';
import { asFault, Fault } from '../fault/fault.ts';
import type { AccountRecord } from '../store/records.ts';
import type { Secret } from '../token/secret.ts';
import { seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { next } from './account-state.ts';
import type { HomePorts, KnownAccount } from './credential-home.ts';
import { adopt } from './known-account.ts';
import { troubleOf } from './outcome.ts';
import { nextRecheck } from './schedule.ts';

const largestAccountFile = 1024 * 1024;

type AgentFile = NonNullable<RefreshTokenAccount['oidcAgentFile']>;

const agentFileOf = (account: Account): AgentFile | undefined =>
  account.grant === 'refresh_token' ? account.oidcAgentFile : undefined;

/**
 * Takes an oidc-agent account over at its first renewal, so that nobody has to log in again. Looked at again when our own
 * credential is refused: somebody may have logged in anew with oidc-gen.
 */
export async function adoptFromAgent(ports: HomePorts, account: Account, known: KnownAccount): Promise<KnownAccount> {
  const file = agentFileOf(account);
  const { record } = known;
  if (file === undefined || (record.login === 'ready' && known.secrets.credential !== undefined)) return known;
  const found = await openAgentAccount(ports.world, file);
  const { credential } = found;
  if (credential === undefined) {
    throw new Fault('login-needed', `the oidc-agent account file ${file.path} holds no refresh token`, {
      hint: `log in with: tokeep account login ${account.name}`,
    });
  }
  const already =
    record.credential?.fingerprint === credential.fingerprint || record.writeBack?.doneFor === credential.fingerprint;
  if (already && known.secrets.credential !== undefined) return known;
  refuseMytoken(account, found, file.path);
  const use = { path: file.path, refused: 'did not take over', timerEnabled: () => osgTimerEnabled(ports.world) };
  await refuseWhileInUse(ports.world, use, found.name);
  ports.log.event('credential-adopted', { account: account.name, from: file.path });
  return adopt(ports, account, known, {
    credential,
    ...(found.clientSecret === undefined ? {} : { secrets: { clientSecret: found.clientSecret } }),
    record: {
      client: clientOf(found),
      learnt: await learntOf(ports.world, known.record, found),
      writeBack: { path: file.path, doneFor: credential.fingerprint, trouble: null },
    },
  });
}

function refuseMytoken(account: Account, found: AgentAccount, path: string): void {
  if (found.mytokenServer === undefined) return;
  throw new Fault(
    'agent-file-invalid',
    `the oidc-agent account file ${path} holds a mytoken of ${found.mytokenServer}, which is no refresh token`,
    { hint: `use grant: mytoken in account ${account.name}, with a mytoken of that server` },
  );
}

const caKey = 'agent-ca-file';

/** The agent's CA file counts where the account names none, if it is on this machine. */
async function learntOf(world: World, record: AccountRecord, found: AgentAccount): Promise<AccountRecord['learnt']> {
  const { caFile } = found;
  if (caFile === undefined || (await world.files.facts(caFile)) === undefined) return record.learnt;
  return { ...record.learnt, [caKey]: caFile };
}

/** The account as it is asked for: with the CA file of the agent it was taken over from. */
export function withAgentCa<A extends Account>(account: A, record: AccountRecord): A {
  const caFile = record.learnt[caKey];
  return account.caFile !== undefined || caFile === undefined ? account : { ...account, caFile };
}

function clientOf(found: AgentAccount): AccountRecord['client'] {
  if (found.issuer === undefined || found.clientId === undefined) return null;
  const scope = found.refreshScope ?? found.scope;
  return {
    issuer: found.issuer,
    clientId: found.clientId,
    authMethod: found.clientSecret === undefined ? 'none' : 'client_secret_basic',
    ...(scope === undefined ? {} : { scope }),
  };
}

async function openAgentAccount(world: World, file: AgentFile): Promise<AgentAccount> {
  const password = await readSecret(world, file.password, 'password');
  let text: string | undefined;
  try {
    text = await world.files.readText(file.path, largestAccountFile);
  } catch (thrown) {
    throw new Fault('secret-unreadable', `could not read the oidc-agent account file ${file.path}`, { cause: thrown });
  }
  if (text === undefined) {
    throw new Fault('login-needed', `there is no oidc-agent account file ${file.path}, and no login of our own`, {
      hint: 'make one with osg-token-renewer-setup, or log in with tokeep setup',
    });
  }
  return readAgentAccount(text, password);
}

/**
 * Puts the present credential into the account file it came from, so that switching back to oidc-agent works. A delivery of its
 * own: when it fails the renewal still counts, and it is tried again.
 */
export async function writeBack(ports: HomePorts, account: Account, record: AccountRecord): Promise<void> {
  const file = agentFileOf(account);
  const { writeBack: state, credential } = record;
  if (file === undefined || state === null || credential === null || state.doneFor === credential.fingerprint) return;
  const { world, log, store } = ports;
  const now = world.clock.now();
  if (state.trouble !== null && state.trouble.nextTry !== null && state.trouble.nextTry > now) return;
  try {
    const { credential: successor } = await store.secrets(account.name);
    if (successor === undefined || successor.kind === 'vault_token') return;
    const password: Secret<'password'> = await readSecret(world, file.password, 'password');
    await writeBackAgentAccount(world, {
      path: state.path,
      password,
      successor,
      timerEnabled: () => osgTimerEnabled(world),
    });
    await store.saveAccount(next(record, { writeBack: { ...state, doneFor: credential.fingerprint, trouble: null } }));
  } catch (thrown) {
    const fault = asFault(thrown, `writing the login of ${account.name} back to ${state.path}`);
    const trouble = troubleOf(state.trouble, fault, now, nextRecheck(now, world.random.unit()));
    if (trouble.attempts === 1)
      log.event('write-back-failed', { account: account.name, path: state.path, reason: fault.message });
    await store.saveAccount(next(record, { writeBack: { ...state, trouble } }));
  }
}

/** Under our own drop-in the timer runs tokeep, which is no competitor (docs/migrate-from-osg-token-renewer.md). */
async function osgTimerEnabled(world: World): Promise<boolean> {
  if (world.env['INVOCATION_ID'] !== undefined && world.env['TOKEEP_UNIT'] === 'osg-token-renewer') return false;
  const answer = await world.processes.run({
    file: '/usr/bin/systemctl',
    args: ['is-enabled', '--quiet', 'osg-token-renewer.timer'],
    env: { PATH: '/usr/bin:/bin' },
    timeout: seconds(5),
    maxOutput: 10_000,
  });
  return answer.kind === 'exited' && answer.status === 0;
}
