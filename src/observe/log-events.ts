import type { Epoch, Millis } from '../token/time.ts';

export type Level = 'error' | 'warning' | 'notice' | 'info' | 'debug';

/** What a field may hold. A `?` means it may be absent; then the bracketed part of the sentence that names it is left out. */
interface FieldTypes {
  readonly text: string;
  readonly time: Epoch;
  readonly length: Millis;
  readonly count: number;
}
type FieldKind = keyof FieldTypes | `${keyof FieldTypes}?`;
type FieldKinds = Readonly<Record<string, FieldKind>>;

interface EventEntry<F extends FieldKinds = FieldKinds> {
  readonly level: Level;
  readonly fields: F;
  /** `{field}` is filled in; `[…]` is left out when a field in it is absent. */
  readonly sentence: string;
}

const event = <const F extends FieldKinds>(level: Level, fields: F, sentence: string): EventEntry<F> => ({
  level,
  fields,
  sentence,
});

/**
 * Every event tokeep logs, once. `docs/events.md` is generated from this table, and a test holds the two together. Names are
 * stable: people filter for them. No field ever holds a secret; what other programs said is one line of printable text.
 */
export const logEvents = {
  // the program
  started: event(
    'notice',
    { version: 'text', config: 'text', wishes: 'count', accounts: 'count' },
    'tokeep {version} works by {config} (tokens: {wishes}, accounts: {accounts})',
  ),
  stopping: event('notice', { reason: 'text' }, 'stopping: {reason}'),
  stopped: event('notice', {}, 'stopped; nothing is under way'),
  'config-reloaded': event(
    'notice',
    { config: 'text', wishes: 'count', accounts: 'count' },
    'took over {config} as it is now (tokens: {wishes}, accounts: {accounts})',
  ),
  'config-rejected': event(
    'error',
    { config: 'text', reason: 'text' },
    'kept the old configuration, since {config} does not read: {reason}',
  ),
  'clock-jumped': event(
    'warning',
    { by: 'length' },
    'the clock was set or the machine slept: {by} more passed than was waited for; everything is looked at anew',
  ),
  'local-issuer': event(
    'info',
    { provider: 'text', issuer: 'text', directory: 'text' },
    'tokens of {provider} are signed as {issuer}, by the keys in {directory}',
  ),
  'credmon-started': event(
    'notice',
    { version: 'text', directory: 'text', pid: 'count' },
    "tokeep {version} is HTCondor's credmon for {directory}, as process {pid}",
  ),
  'directory-awaited': event(
    'notice',
    { directory: 'text', length: 'length' },
    'the credential directory {directory} is not there yet; it is waited for, up to {length}',
  ),
  'credmon-failed': event('error', { reason: 'text' }, 'the credmon cannot go on: {reason}'),
  'network-started': event(
    'info',
    { pid: 'count', user: 'text' },
    'the process for the network is {pid}, of user {user}',
  ),
  'network-same-user': event(
    'notice',
    { user: 'text' },
    'not root: the process for the network is user {user} as well, which keeps secrets from it less well',
  ),
  'network-ended': event(
    'error',
    { reason: 'text', pause: 'length' },
    'the process for the network ended: {reason}; it is started again in {pause}, and what it had under way counts as perhaps done',
  ),
  'service-manager-unavailable': event(
    'warning',
    { reason: 'text' },
    'the service manager cannot be told how we are: {reason}',
  ),
  'metrics-listening': event('info', { address: 'text' }, 'metrics are at http://{address}/metrics'),
  'metrics-failed': event('warning', { reason: 'text' }, 'metrics were not published: {reason}'),
  'unexpected-fault': event('error', { doing: 'text', reason: 'text' }, '{doing}: {reason}'),
  // renewals
  'token-renewed': event(
    'info',
    { wish: 'text', account: 'text', expiresAt: 'time', renewAt: 'time?' },
    'renewed {wish} from account {account}, good until {expiresAt}[, next renewal {renewAt}]',
  ),
  'renewal-failed': event(
    'warning',
    {
      wish: 'text',
      account: 'text',
      code: 'text',
      reason: 'text',
      attempts: 'count',
      nextTry: 'time?',
      hint: 'text?',
    },
    'no new token for {wish} from account {account} (attempt {attempts}): {reason}[; next try {nextTry}][ ({hint})]',
  ),
  'token-remark': event('notice', { wish: 'text', reason: 'text' }, '{wish}: {reason}'),
  'claim-lost': event(
    'warning',
    { wish: 'text' },
    'somebody else took over {wish} while it was worked on; what they did counts',
  ),
  // accounts
  'login-needed': event(
    'error',
    { account: 'text', reason: 'text', hint: 'text?' },
    'account {account} needs somebody to log in: {reason}[ ({hint})]',
  ),
  'credential-adopted': event(
    'notice',
    { account: 'text', from: 'text' },
    'account {account} took its login over from {from}',
  ),
  'successor-kept-in-memory': event(
    'error',
    { account: 'text', reason: 'text' },
    'the new refresh token of account {account} is in memory only, do not stop tokeep: {reason}',
  ),
  'successor-saved': event(
    'notice',
    { account: 'text' },
    'the new refresh token of account {account} is on disk at last',
  ),
  'successor-recovered': event(
    'notice',
    { account: 'text' },
    'took over the refresh token that an interrupted run left for account {account}',
  ),
  'credential-removed': event(
    'warning',
    { account: 'text', reason: 'text' },
    'removed the credential of {account}, since it is refused for good: {reason}',
  ),
  'successor-superseded': event(
    'notice',
    { account: 'text', path: 'text' },
    'the new refresh token of account {account} was dropped: another one stands in {path} since, or its directory is gone',
  ),
  'successor-damaged': event('error', { reason: 'text' }, '{reason}'),
  'write-back-failed': event(
    'warning',
    { account: 'text', path: 'text', reason: 'text' },
    'the new refresh token of account {account} was not written back to {path}: {reason}',
  ),
  // issuers
  'issuer-down': event(
    'warning',
    { issuer: 'text', reason: 'text', probeAt: 'time?' },
    'issuer {issuer} is not usable: {reason}[; one request tries it {probeAt}]',
  ),
  'issuer-back': event('notice', { issuer: 'text', downFor: 'length?' }, 'issuer {issuer} is back[ after {downFor}]'),
  // delivery
  delivered: event('info', { wish: 'text', target: 'text' }, 'delivered {wish} to {target}'),
  'delivery-failed': event(
    'warning',
    { wish: 'text', target: 'text', code: 'text', reason: 'text', nextTry: 'time?' },
    'did not deliver {wish} to {target}: {reason}[; next try {nextTry}]',
  ),
  // the issuer server
  'issuer-serving': event(
    'notice',
    { version: 'text', issuer: 'text', address: 'text', clients: 'count' },
    'tokeep {version} serves {issuer} on {address} (clients: {clients})',
  ),
  'issuer-token-issued': event(
    'debug',
    { client: 'text', jti: 'text', expiresAt: 'time' },
    'client {client} got token {jti}, good until {expiresAt}',
  ),
  'issuer-client-refused': event(
    'notice',
    { client: 'text?', address: 'text', reason: 'text', request: 'text' },
    'refused a client[ that called itself {client}] from {address}: {reason} (request {request})',
  ),
  'issuer-document-stale': event(
    'error',
    { document: 'text', reason: 'text' },
    '{document} of the issuer could not be read anew, and is served as it was: {reason}',
  ),
  'issuer-database-moved': event(
    'error',
    { file: 'text' },
    '{file} is not the database that this server has open: it was moved, removed or replaced, and what is signed now goes into a file that nobody else reads; stop the server, put the file back, and start it again',
  ),
  'audit-head': event(
    'notice',
    { chain: 'text', directory: 'text?', lines: 'count', hash: 'text' },
    'the audit log {chain}[ of the issuer in {directory}] ends with line {lines}, {hash}',
  ),
  'audit-unprotected': event(
    'warning',
    { role: 'text' },
    'the role {role} of this server may change or delete lines of the audit log; tokeep issuer database shows what it needs',
  ),
  'issuer-reloaded': event(
    'notice',
    { issuer: 'text' },
    'looked at the settings, keys and certificate of {issuer} anew',
  ),
  'certificate-taken': event(
    'notice',
    { file: 'text', expiresAt: 'time' },
    'the TLS certificate {file} was changed and is used from now on; it ends {expiresAt}',
  ),
  'certificate-kept': event(
    'error',
    { reason: 'text', expiresAt: 'time' },
    'the TLS certificate was changed and cannot be used; the one before it stays, until {expiresAt}: {reason}',
  ),
  // the web login of HTCondor
  'web-serving': event(
    'notice',
    { version: 'text', prefix: 'text', address: 'text' },
    'tokeep {version} serves the web login of {prefix} on {address}',
  ),
  'web-failed': event('error', { reason: 'text', hint: 'text?' }, 'the web login cannot go on: {reason}[ ({hint})]'),
  'web-setting-wrong': event('error', { knob: 'text', reason: 'text', hint: 'text?' }, '{knob}: {reason}[ ({hint})]'),
  'web-confirmed': event(
    'notice',
    { user: 'text', services: 'count', address: 'text' },
    'a browser at {address} says that it is {user}, and goes on to log in (services: {services})',
  ),
  'web-login': event(
    'notice',
    { user: 'text', service: 'text', issuer: 'text?', subject: 'text?', address: 'text' },
    '{user} logged in for {service} from {address}[ as {subject}][ of {issuer}]',
  ),
  'web-login-refused': event(
    'warning',
    { user: 'text', service: 'text', address: 'text', reason: 'text' },
    'a login of {user} for {service} from {address} was not used: {reason}',
  ),
  'web-signed-in': event(
    'notice',
    { user: 'text', address: 'text' },
    '{user} logged in at the issuer of the site, from {address}',
  ),
  'web-request-unreadable': event(
    'warning',
    { request: 'text', reason: 'text' },
    'the request file {request}… {reason}; nobody can log in with it',
  ),
  'web-issuer-away': event('warning', { service: 'text', reason: 'text' }, 'nobody can log in for {service}: {reason}'),
  // people
  'condition-raised': event(
    'warning',
    { key: 'text', severity: 'text', stage: 'text', reason: 'text', hint: 'text?' },
    '{severity}: {reason}[ ({hint})]',
  ),
  'condition-cleared': event('notice', { key: 'text' }, 'over: {key}'),
  notified: event('info', { rule: 'text', messages: 'count' }, 'messages sent to {rule}: {messages}'),
  'notify-failed': event('warning', { rule: 'text', reason: 'text' }, 'could not tell {rule}: {reason}'),
} as const;

export type LogEvents = typeof logEvents;
export type LogEventName = keyof LogEvents;

type Optional<F> = { [K in keyof F]: F[K] extends `${string}?` ? K : never }[keyof F];
type Bare<K> = K extends `${infer B}?` ? B : K;
type Value<K> = Bare<K> extends keyof FieldTypes ? FieldTypes[Bare<K>] : never;

/** The fields of one event; absent ones may be left out, undefined or null. */
export type FieldsOf<N extends LogEventName> = {
  readonly [K in Exclude<keyof LogEvents[N]['fields'], Optional<LogEvents[N]['fields']>>]: Value<
    LogEvents[N]['fields'][K]
  >;
} & {
  readonly [K in Optional<LogEvents[N]['fields']>]?: Value<LogEvents[N]['fields'][K]> | null | undefined;
};
