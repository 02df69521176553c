import type {
  Account,
  AudienceWish,
  ClientAuth,
  Config,
  IssuerLimits,
  IssuerRef,
  NotifyRule,
  ScopeWish,
  SecretRef,
  Target,
  Wish,
} from './config.ts';
import { formatDuration } from './duration.ts';

/** Keys and values as they stand in `tokeep.yaml`. */
export type Input = Readonly<Record<string, unknown>>;
/** How a secret is written: where it lies, never what it is. */
export type WriteSecret = (ref: SecretRef) => unknown;

/** An account as a section of `tokeep.yaml`, with every default spelled out. */
export function accountInput(account: Account, secret: WriteSecret): Input {
  return present({
    grant: account.grant,
    ...issuerInput(account.issuer),
    ...grantInput(account, secret),
    audience_style: account.audienceStyle,
    ca_file: account.caFile,
    refresh_lifetime: account.refreshLifetime && formatDuration(account.refreshLifetime),
    timeout: formatDuration(account.timeout),
  });
}

function issuerInput(issuer: IssuerRef): Input {
  if (issuer.kind === 'discovered') return { issuer: issuer.issuer };
  return issuer.kind === 'token-endpoint' ? { token_endpoint: issuer.url } : {};
}

function grantInput(account: Account, secret: WriteSecret): Input {
  switch (account.grant) {
    case 'client_credentials':
      return { client_id: account.clientId, ...clientAuthInput(account.clientAuth, secret) };
    case 'token_exchange':
      return { client_id: account.clientId, ...clientAuthInput(account.clientAuth, secret), subject: account.subject };
    case 'refresh_token': {
      const { client, oidcAgentFile: agent } = account;
      return {
        ...(client === undefined ? {} : { client_id: client.clientId, ...clientAuthInput(client.clientAuth, secret) }),
        ...(agent === undefined ? {} : { oidc_agent_file: agent.path, password: secret(agent.password) }),
      };
    }
    case 'oidc_agent':
      return { shortname: account.shortname, socket: account.socket };
    case 'mytoken':
      return { server: account.server, mytoken: secret(account.mytoken) };
    case 'vault':
      return { server: account.server, secret_path: account.secretPath, vault_token: secret(account.vaultToken) };
    case 'signing_key':
      return { keys: account.keys, profile: account.profile };
    case 'idtoken':
      return { trust_domain: account.trustDomain, key: secret(account.key), key_id: account.keyId };
    case 'held_token':
      return {};
  }
}

function clientAuthInput(auth: ClientAuth, secret: WriteSecret): Input {
  switch (auth.kind) {
    case 'none':
      return { client_auth: auth.kind };
    case 'client_secret_basic':
      return { client_auth: auth.kind, client_secret: secret(auth.secret), secret_encoding: auth.encoding };
    case 'client_secret_post':
      return { client_auth: auth.kind, client_secret: secret(auth.secret) };
    case 'private_key_jwt':
      return { client_auth: auth.kind, private_key: secret(auth.key), key_id: auth.keyId, algorithm: auth.algorithm };
  }
}

/** A wish as a section of `tokeep.yaml`, with every default spelled out. */
export function wishInput(wish: Wish): Input {
  return present({
    account: wish.account,
    audience: audienceInput(wish.audience),
    scope: scopeInput(wish.scope),
    lifetime: wish.lifetime && formatDuration(wish.lifetime),
    subject: wish.subject,
    min_lifetime: wish.minLifetime && formatDuration(wish.minLifetime),
    renew: wish.freshness,
    deliver: wish.targets.map(targetInput),
  });
}

function audienceInput({ audiences, raw }: AudienceWish): unknown {
  if (raw !== undefined) return { raw };
  return audiences.length === 0 ? undefined : audiences;
}

function scopeInput(scope: ScopeWish): unknown {
  if (scope.kind === 'scopes') return scope.scopes;
  return scope.kind === 'blank' ? ' ' : undefined;
}

function targetInput(target: Target): Input {
  switch (target.kind) {
    case 'file': {
      const { path: file, owner, group, existing, inPlace: in_place } = target;
      return present({ file, owner, group, mode: target.mode.toString(8).padStart(4, '0'), existing, in_place });
    }
    case 'discovery':
      return present({ discovery: target.user, purpose: target.purpose });
    case 'exec':
      return { exec: target.argv, hands: target.hands, timeout: formatDuration(target.timeout) };
    case 'htcondor': {
      const { user: htcondor, service, handle, program, credd, condorConfig: condor_config } = target;
      const timeout = formatDuration(target.timeout);
      return present({ htcondor, service, handle, program, credd, condor_config, timeout });
    }
    case 'use':
      return { use: `${target.directory}/${target.user}/${target.name}.use` };
  }
}

/** Everything in the file that is neither an account nor a token. */
export function settingsInput(config: Config, secret: WriteSecret): Input {
  const { store } = config;
  const postgres = store.kind === 'postgres' ? { url: secret(store.url), ca_file: store.caFile } : {};
  return present({
    notify: mapping(config.notify.map((rule) => [rule.name, notifyInput(rule, secret)])),
    limits: limitsInput(config.limits),
    issuers: mapping([...config.issuerLimits].map(([issuer, limits]) => [issuer, limitsInput(limits)])),
    store: present({ kind: store.kind, ...postgres }),
    seal: config.seal && { passphrase: secret(config.seal.passphrase) },
    state: config.stateDir,
    spool: config.spool,
    metrics: config.metrics,
  });
}

const mapping = (entries: readonly (readonly [string, unknown])[]): unknown =>
  entries.length === 0 ? undefined : Object.fromEntries(entries);

const limitsInput = ({ concurrency, perSecond }: IssuerLimits): Input => ({ concurrency, per_second: perSecond });

function notifyInput({ channel, only }: NotifyRule, secret: WriteSecret): Input {
  switch (channel.kind) {
    case 'mail': {
      const { kind, login, ...mail } = channel;
      return { mail: { ...mail, ...(login && { user: login.user, password: secret(login.password) }) }, only };
    }
    case 'webhook': {
      const { url, form, caFile, bearer } = channel;
      // The path of a web hook is its password.
      const webhook = { url: `${new URL(url).origin}/…`, form, ca_file: caFile, bearer: bearer && secret(bearer) };
      return { webhook: present(webhook), only };
    }
    case 'command':
      return { command: channel.argv, timeout: formatDuration(channel.timeout), only };
  }
}

function present(input: Input): Input {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
}
