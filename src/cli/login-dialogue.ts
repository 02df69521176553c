import { hostname } from 'node:os';
import { audienceParameters } from '../acquire/audience-parameters.ts';
import { knownIssuers } from '../acquire/known-issuers.ts';
import { type GivenClient, type LoginFlow, login } from '../acquire/login.ts';
import type { LoginEvent } from '../acquire/login-flow.ts';
import { mannersFor } from '../acquire/manners.ts';
import type { RefreshTokenAccount } from '../config/config.ts';
import { keepClient, keepLogin, type LoginPorts, loginLifeInWords, proveRoom } from '../renew/keep-login.ts';
import type { AccountRecord } from '../store/records.ts';
import type { Audience, Scope } from '../token/names.ts';
import { Secret } from '../token/secret.ts';
import { listenOnLoopback } from '../world/real-loopback-listener.ts';
import type { Context } from './context.ts';
import type { CliIo } from './io.ts';
import type { Prompts } from './prompts.ts';

export interface LoginHow {
  readonly flow: LoginFlow | undefined;
  /** Default: what the client was made for, else what the account's wishes need. */
  readonly scope: readonly string[] | undefined;
  readonly audience: readonly string[];
  readonly given?: GivenClient;
  readonly initialAccessToken?: Secret<'access_token'>;
}

/** Logs an account in, with somebody at the terminal or at any browser, and keeps what comes of it. Throws when nothing does. */
export async function logIn(
  context: Context,
  prompts: Prompts,
  account: RefreshTokenAccount,
  how: LoginHow,
): Promise<void> {
  const { world, io, signal } = context;
  const ports: LoginPorts = { world, signal, store: await context.store(), spool: await context.spool() };
  await proveRoom(ports, account.name);
  const record = await ports.store.account(account.name);
  const secrets = record === undefined ? {} : await ports.store.secrets(account.name);
  const scope = how.scope ?? (await usualScope(context, account, record));
  let kept: AccountRecord | undefined;
  let { given } = how;
  const wish = {
    account,
    record,
    secrets,
    flow: how.flow,
    scope,
    audience: audienceFor(account, record, scope, how.audience),
    clientName: `tokeep:${account.name}-${hostname()}`,
    signal,
    ...(how.given === undefined ? {} : { given: how.given }),
    ...(how.initialAccessToken === undefined ? {} : { initialAccessToken: how.initialAccessToken }),
  };
  const outcome = await login(world, wish, {
    listen: listenOnLoopback,
    tell: tellOn(io.stderr),
    async keepClient(issuer, client) {
      await keepClient(ports, account, issuer, client);
      if (client.clientId !== given?.clientId)
        await context.say(`registered the client ${client.clientId} at ${issuer}`);
    },
    keep: async (gain) => {
      kept = await keepLogin(ports, account, gain);
    },
    async askForClient(why) {
      await context.warn(`tokeep: ${why.message}`);
      given = (await sharedClient(context, account)) ?? (await askForClient(prompts));
      return given;
    },
  });
  if (outcome.kind === 'not-logged-in') throw outcome.fault;
  const life = kept === undefined ? '' : `; ${loginLifeInWords(kept.expiry, world.clock.now())}`;
  await context.say(`${account.name} is logged in${life}`);
}

/** Where nobody can register a client, oidc-agent's settings may know one that is shared by all. */
async function sharedClient(context: Context, { issuer }: RefreshTokenAccount): Promise<GivenClient | undefined> {
  if (issuer.kind !== 'discovered') return undefined;
  const { issuers } = await knownIssuers(context.world);
  const found = issuers.find((known) => known.issuer === issuer.issuer)?.publicClient;
  if (found === undefined) return undefined;
  await context.say(
    `using the client ${found.clientId}, which oidc-agent's settings name for all users of ${issuer.issuer}`,
  );
  return found;
}

export async function askForClient(prompts: Prompts): Promise<GivenClient> {
  const clientId = await prompts.text({
    message: 'Client id',
    flag: '--client-id',
    unfit: (answer) => (answer.trim() === '' ? 'a client has an id' : undefined),
  });
  const message = 'Client secret (empty for a public client)';
  const text = await prompts.secret({ message, flag: '--client-secret-file' });
  return { clientId, clientSecret: text === '' ? undefined : new Secret('client_secret', text) };
}

/** Scopes that make the issuer give a refresh token, with those that the wishes need. */
async function usualScope(
  context: Context,
  account: RefreshTokenAccount,
  record: AccountRecord | undefined,
): Promise<readonly string[]> {
  const registered = record?.client?.scope?.split(' ').filter(Boolean);
  if (registered !== undefined && registered.length > 0) return registered;
  const scopes = new Set<string>(['openid', 'offline_access']);
  for (const wish of (await context.config()).wishes.values()) {
    if (wish.account !== account.name || wish.scope.kind !== 'scopes') continue;
    for (const scope of wish.scope.scopes) scopes.add(scope);
  }
  return [...scopes];
}

function audienceFor(
  account: RefreshTokenAccount,
  record: AccountRecord | undefined,
  scope: readonly string[],
  audience: readonly string[],
) {
  const wish = { audiences: audience as readonly Audience[] };
  const request = { audience: wish, scope: { kind: 'scopes' as const, scopes: scope as readonly Scope[] } };
  return audienceParameters(wish, mannersFor(account, record, request).audience);
}

/** What a person needs for the login goes to stderr, also with --quiet. */
export function tellOn(stderr: CliIo['stderr']): (event: LoginEvent) => void {
  const say = (...lines: readonly string[]) => void stderr.write(`${lines.join('\n')}\n`).catch(() => {});
  return (event) => {
    if (event.kind === 'visit') {
      say(
        'To log in, open this page on any device:',
        '',
        `  ${event.url}`,
        '',
        `and enter the code: ${event.userCode}`,
      );
      if (event.complete !== undefined) say('', `or open: ${event.complete}`);
      if (stderr.isTTY) say('', event.qr, '');
      say(`The code is good for ${Math.round(event.expiresIn / 60_000)} minutes.`);
    }
    if (event.kind === 'open') say('To log in, open this page in a browser on this machine:', '', `  ${event.url}`, '');
    if (event.kind === 'hiccup') say(`${event.sentence}; asking again`);
  };
}
