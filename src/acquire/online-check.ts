import type { Account } from '../config/config.ts';
import { asFault, type Fault } from '../fault/fault.ts';
import type { IssuerUrl } from '../token/names.ts';
import { type Millis, seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import { clientOf, configuredClient } from './client-of.ts';
import { fetchMetadata, type IssuerMetadata, skewOf } from './metadata.ts';

export interface OnlineFinding {
  readonly severity: 'ok' | 'warning' | 'error';
  readonly sentence: string;
  readonly hint?: string;
}

/** What was found out about the issuer of an account without spending anything. */
export interface OnlineReport {
  readonly account: Account['name'];
  readonly findings: readonly OnlineFinding[];
  /** The first fault, for the exit code. */
  readonly fault: Fault | undefined;
}

/** More than this and tokens may seem not valid yet, or too old (RFC 7519 allows "a few minutes"; scenario 22 is about 60 s). */
const toleratedSkew = seconds(60);
const ok = (sentence: string): OnlineFinding => ({ severity: 'ok', sentence });
const warning = (sentence: string, hint?: string): OnlineFinding => ({
  severity: 'warning',
  sentence,
  ...(hint === undefined ? {} : { hint }),
});

/** Asks nothing of the issuer but its metadata: is it there, is it who it should be, does it offer what the account and its wishes need. */
export async function checkIssuerOnline(
  world: World,
  account: Account,
  wishes: { readonly scopes?: readonly string[] } = {},
): Promise<OnlineReport> {
  const findings: OnlineFinding[] = [];
  const faults: Fault[] = [];
  const fail = (fault: Fault) => {
    faults.push(fault);
    findings.push({
      severity: 'error',
      sentence: fault.message,
      ...(fault.hint === undefined ? {} : { hint: fault.hint }),
    });
  };
  if (configuredClient(account) !== undefined) {
    try {
      await clientOf(world, account, undefined, {});
      findings.push(ok('the secret of its client can be read'));
    } catch (thrown) {
      fail(asFault(thrown, `reading the client of account ${account.name}`));
    }
  }
  const { issuer } = account;
  if (issuer.kind === 'discovered')
    findings.push(...(await checkMetadata(world, account, issuer.issuer, wishes, fail)));
  else if (issuer.kind === 'token-endpoint') findings.push(...(await checkReachable(world, account, issuer.url, fail)));
  else findings.push(warning('its issuer is learnt at the first renewal, and was not asked'));
  return { account: account.name, findings, fault: faults[0] };
}

async function checkMetadata(
  world: World,
  account: Account,
  issuer: IssuerUrl,
  wishes: { readonly scopes?: readonly string[] },
  fail: (fault: Fault) => void,
): Promise<readonly OnlineFinding[]> {
  const outcome = await fetchMetadata(world, { issuer, ...reach(account) });
  if (outcome.kind === 'failed') {
    fail(outcome.fault);
    return [];
  }
  const { metadata, skew } = outcome;
  return [
    ok(`${issuer} answers, its certificate is accepted, and it calls itself by this name`),
    grantFinding(account, metadata),
    ...authFinding(account, metadata),
    ...scopeFinding(wishes.scopes ?? [], metadata),
    ...skewFinding(skew),
  ];
}

const grantTypes: Readonly<Partial<Record<Account['grant'], string>>> = {
  client_credentials: 'client_credentials',
  refresh_token: 'refresh_token',
  token_exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
};

/** A list in metadata need not be complete, so what is missing is a warning. Absent, it means code and implicit (RFC 8414), and few mean that. */
function grantFinding(account: Account, { grantTypesSupported }: IssuerMetadata): OnlineFinding {
  const grant = grantTypes[account.grant];
  if (grant === undefined) return ok('its tokens do not come from the token endpoint of the issuer');
  if (grantTypesSupported === undefined)
    return warning(`the issuer does not say which grants it offers; ${grant} is needed`);
  if (grantTypesSupported.includes(grant)) return ok(`the issuer offers the grant ${grant}`);
  return warning(`the issuer does not list the grant ${grant}`, 'ask those who run it whether it can be had');
}

function authFinding(account: Account, metadata: IssuerMetadata): readonly OnlineFinding[] {
  const method = configuredClient(account)?.clientAuth.kind;
  const supported = metadata.tokenEndpointAuthMethodsSupported ?? ['client_secret_basic'];
  if (method === undefined || supported.includes(method)) return [];
  const hint = `it lists ${supported.join(', ')}; set client_auth to one of them`;
  return [warning(`the issuer does not list the client authentication ${method}`, hint)];
}

/** Scopes with a path, such as `storage.read:/home`, are listed without one, or not at all. */
function scopeFinding(wished: readonly string[], { scopesSupported }: IssuerMetadata): readonly OnlineFinding[] {
  if (wished.length === 0 || scopesSupported === undefined) return [];
  const listed = new Set(scopesSupported.map(withoutPath));
  const missing = wished.filter((scope) => !listed.has(withoutPath(scope)));
  if (missing.length === 0) return [ok('the issuer lists all scopes that are wished for')];
  return [warning(`the issuer does not list these scopes: ${missing.join(' ')}`, 'it may give them all the same')];
}

const withoutPath = (scope: string): string => scope.replace(/:\/.*$/, '');

function skewFinding(skew: Millis | undefined): readonly OnlineFinding[] {
  if (skew === undefined) return [];
  const rounded = Math.round(Math.abs(skew) / 1000);
  if (Math.abs(skew) <= toleratedSkew) return [ok('the clocks here and there agree')];
  const direction = skew > 0 ? 'ahead of' : 'behind';
  return [
    warning(
      `our clock is ${rounded} s ${direction} the issuer's`,
      'set the clock of this machine (NTP), or tell those who run the issuer',
    ),
  ];
}

/**
 * An account that only names a token endpoint: a GET, which no token endpoint acts on, shows that it can be reached. It takes
 * POST only (RFC 6749 section 3.2), so that whatever it answers to this, 404 too, is no fault.
 */
async function checkReachable(
  world: World,
  account: Account,
  url: string,
  fail: (fault: Fault) => void,
): Promise<readonly OnlineFinding[]> {
  const answer = await world.http.send({
    method: 'GET',
    url: new URL(url),
    maxBytes: 1024 * 1024,
    connection: 'fresh',
    ...reach(account),
  });
  if (answer.kind === 'no-answer') {
    fail(answer.fault);
    return [];
  }
  const found = ok(`${url} can be reached, and its certificate is accepted`);
  return [found, ...skewFinding(skewOf(answer))];
}

const reach = (account: Account) => ({
  timeout: account.timeout,
  ...(account.caFile === undefined ? {} : { caFile: account.caFile }),
});
