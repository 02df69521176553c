import { normalize } from 'node:path/posix';
import { seconds } from '../token/time.ts';
import {
  type Config,
  defaultIssuerLimits,
  type IssuerLimits,
  type NotifyChannel,
  type NotifyRule,
  type StoreChoice,
} from './config.ts';
import type { LimitsInput, MetricsInput, NotifyInput, StoreInput } from './schema-settings.ts';

export function limitsOf(input: LimitsInput | undefined, otherwise: IssuerLimits = defaultIssuerLimits): IssuerLimits {
  return {
    concurrency: input?.concurrency ?? otherwise.concurrency,
    perSecond: input?.per_second ?? otherwise.perSecond,
  };
}

export function storeOf(input: StoreInput | undefined): StoreChoice {
  if (input?.kind !== 'postgres') return { kind: 'sqlite' };
  return { kind: 'postgres', url: input.url, ...(input.ca_file === undefined ? {} : { caFile: input.ca_file }) };
}

export function metricsOf(input: MetricsInput): NonNullable<Config['metrics']> {
  const { listen, textfile } = input;
  return {
    ...(listen === undefined ? {} : { listen }),
    ...(textfile === undefined ? {} : { textfile: normalize(textfile) }),
  };
}

export function notifyRuleOf(name: string, input: NotifyInput): NotifyRule {
  return { name, channel: channelOf(input), only: input.only ?? [] };
}

function channelOf(input: NotifyInput): NotifyChannel {
  if ('mail' in input) return mailOf(input.mail);
  if ('webhook' in input) {
    const { url, form = 'json', ca_file: caFile, bearer } = input.webhook;
    const options = { ...(caFile === undefined ? {} : { caFile }), ...(bearer === undefined ? {} : { bearer }) };
    return { kind: 'webhook', url, form, ...options };
  }
  return { kind: 'command', argv: input.command, timeout: input.timeout ?? seconds(30) };
}

function mailOf(mail: Extract<NotifyInput, { mail: unknown }>['mail']): NotifyChannel {
  const { to, from, host = 'localhost', user, password } = mail;
  const tls = mail.tls ?? (host === 'localhost' ? 'none' : 'starttls');
  const port = mail.port ?? (tls === 'implicit' ? 465 : 25);
  const login = user !== undefined && password !== undefined ? { login: { user, password } } : {};
  return { kind: 'mail', to, from, host, port, tls, ...login };
}
