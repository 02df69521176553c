import { dirname } from 'node:path';
import { asClient } from '../../acquire/login.ts';
import { fetchMetadata } from '../../acquire/metadata.ts';
import type { RefreshTokenAccount } from '../../config/config.ts';
import { accountSection, hasAccountSection, insertAccountSection } from '../../config/init-section.ts';
import { findConfig, ownPlace } from '../../config/load.ts';
import { unfitName } from '../../config/names.ts';
import { type ExitCode, exit } from '../../fault/codes.ts';
import { Fault } from '../../fault/fault.ts';
import { keepClient, keepLogin, type LoginPorts, loginLifeInWords } from '../../renew/keep-login.ts';
import type { AccountName, IssuerUrl } from '../../token/names.ts';
import type { Context } from '../context.ts';
import { logIn } from '../login-dialogue.ts';
import { type Prompts, promptsFor } from '../prompts.ts';
import { type FileOwnership, replaceText } from '../replace-text.ts';
import type { ServiceUser } from '../service-user.ts';
import { asServiceUser, serviceUserFor } from './as-service-user.ts';
import { filesOf, nextSteps, type Plan, type SetupOptions, sectionOf, targetDirectory } from './plan.ts';
import { makePlan } from './questions.ts';
import { tryOut } from './trial.ts';

/**
 * Makes an account: finds out what is needed, shows the section it is going to write and asks, writes it, and then, no longer
 * as root, logs in. The configuration comes before the login, since only root may write it; a login that fails is repeated
 * with `tokeep account login`.
 */
export async function setUp(context: Context, name: string, options: SetupOptions): Promise<ExitCode> {
  const unfit = unfitName(name);
  if (unfit !== undefined) throw new Fault('usage', `the name of an account ${unfit}`);
  const prompts = await promptsFor(context.io, 'setup');
  const place = await configToWrite(context);
  const user = await serviceUserFor(context, options.user);
  const plan = await makePlan({ context, prompts, name, options, configPath: place.path });
  if (plan.kind === 'client-credentials') await tryOut(context, name, plan);
  const text = insertAccountSection(place.text, name, sectionOf(plan));
  const section = accountSection(name, sectionOf(plan));
  await context.io.stderr.write(`\nThis goes into ${place.path}:\n\n${section}\n`);
  if (hasAccountSection(place.text, name))
    await context.warn(`This replaces accounts.${name}, which is there already.`);
  if (!options.yes && !(await prompts.confirm({ message: 'Write it?', flag: '--yes' }))) {
    await context.say('nothing was written');
    return exit.fine;
  }
  const fresh = {
    mode: user === undefined ? 0o600 : 0o640,
    owner: context.world.user.uid,
    group: user?.gid ?? context.world.user.gid,
  };
  await writeSecret(context, plan, fresh);
  await replaceText(context.world, place.path, text, fresh);
  await context.say(`wrote ${place.path}`);
  const directory = targetDirectory(context.world);
  const servant = await asServiceUser(context, user, place.path);
  try {
    if (user !== undefined) await warnOfUnreadable(servant, user, plan);
    await finish(servant, prompts, name as AccountName, plan);
  } finally {
    if (servant !== context) await servant.close();
  }
  for (const line of nextSteps(name, plan, directory)) await context.say(line);
  return exit.fine;
}

async function configToWrite({ world, options }: Context): Promise<{ readonly path: string; readonly text: string }> {
  const named = options.config ?? world.env['TOKEEP_CONFIG'];
  const own = named === undefined || named === '' ? ownPlace(world) : named;
  const place = await findConfig(world, { config: own }).catch((thrown: unknown) => {
    if (thrown instanceof Fault && thrown.code === 'config-missing') return { path: own, format: 'yaml' as const };
    throw thrown;
  });
  if (place.format === 'ini' || own.endsWith('.ini')) {
    throw new Fault('usage', `${own} is in OSG's format, which tokeep setup does not write`, {
      hint: 'use osg-token-renewer-setup, or first: tokeep config convert',
    });
  }
  const text = await world.files.readText(place.path, 32 * 1024 * 1024).catch(() => {
    throw new Fault('config-unwritable', `${place.path} could not be read, so nothing can be added to it`);
  });
  return { path: place.path, text: text ?? '' };
}

/** A typed secret gets a file of its own, readable by the service and nobody else. */
async function writeSecret(context: Context, plan: Plan, fresh: FileOwnership): Promise<void> {
  if (plan.kind !== 'client-credentials' || plan.secret.typed === undefined) return;
  const { file, typed } = plan.secret;
  await context.world.files.makeDirectories(dirname(file), 0o755);
  await replaceText(context.world, file, `${typed.reveal()}\n`, fresh);
  await context.say(`wrote the client secret to ${file}`);
}

/** Root reads everything; who is asked here is the user that root has become. */
async function warnOfUnreadable({ world, warn }: Context, user: ServiceUser, plan: Plan): Promise<void> {
  for (const file of filesOf(plan)) {
    const refused = await world.files.readText(file, 1024 * 1024).then(
      () => false,
      (thrown: NodeJS.ErrnoException) => thrown.code === 'EACCES',
    );
    if (refused)
      await warn(`warning: the user ${user.name}, who renews, may not read ${file}; move it or give it away`);
  }
}

/** What needs the state: a login, or taking a refresh token in. */
async function finish(context: Context, prompts: Prompts, name: AccountName, plan: Plan): Promise<void> {
  if (plan.kind === 'client-credentials') return;
  if (plan.kind === 'oidc-agent') {
    await context.say(`${plan.path} is taken over at the first renewal; nobody has to log in`);
    return;
  }
  const account = (await context.config()).accounts.get(name);
  if (account?.grant !== 'refresh_token') {
    throw new Fault('config-invalid', `the new section of ${name} is not usable as it is`, {
      hint: 'see: tokeep config check',
    });
  }
  if (plan.kind === 'refresh-token') return await takeIn(context, account, plan);
  const { flow, scope, audience, given, initialAccessToken } = plan;
  try {
    await logIn(context, prompts, account, {
      flow,
      scope,
      audience,
      ...(given === undefined ? {} : { given }),
      ...(initialAccessToken === undefined ? {} : { initialAccessToken }),
    });
  } catch (thrown) {
    await context.warn(`the section of ${name} is written; to log in later: tokeep account login ${name}`);
    throw thrown;
  }
}

/** A refresh token from elsewhere is not tried out here: a trial would spend it. The first renewal does, with its protocol. */
async function takeIn(
  context: Context,
  account: RefreshTokenAccount,
  plan: Extract<Plan, { kind: 'refresh-token' }>,
): Promise<void> {
  const { world, signal } = context;
  const ports: LoginPorts = { world, signal, store: await context.store(), spool: await context.spool() };
  if (plan.given !== undefined) {
    const request = { issuer: plan.issuer as IssuerUrl, timeout: account.timeout, signal };
    const caFile = plan.caFile === undefined ? {} : { caFile: plan.caFile };
    const outcome = await fetchMetadata(world, { ...request, ...caFile });
    if (outcome.kind === 'failed') throw outcome.fault;
    await keepClient(ports, account, outcome.metadata.issuer, asClient(plan.given, outcome.metadata));
  }
  const gain = { credential: plan.token, expiresIn: undefined, grantedScope: undefined };
  const record = await keepLogin(ports, account, gain);
  await context.say(
    `took the refresh token of ${account.name} in; ${loginLifeInWords(record.expiry, world.clock.now())}`,
  );
  await context.say('delete the file it came from: a copy that is used elsewhere makes the issuer revoke both');
}
