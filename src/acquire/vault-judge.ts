import type { VaultAccount } from '../config/config.ts';
import type { FaultCode } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { jsonOf } from './answer-json.ts';
import type { GrantOutcome, RawAnswer } from './grant.ts';
import { cleanWords } from './issuer-words.ts';
import { judgeTokenAnswer } from './judge.ts';
import { laterFault } from './later.ts';

/** What an answer of htgettoken's place in a vault means. `alive`: the look-up just before found the vault token good. */
export function judgeVaultAnswer(raw: RawAnswer, account: VaultAccount, alive: boolean): GrantOutcome {
  if (raw.status === 200) return judgeSecret(raw, account);
  const later = laterFault(raw, account.server);
  if (later !== undefined) return passing(raw, account, later.fault, later.retryAfter);
  const said = saying(raw);
  if (said === undefined) return judgeTokenAnswer(raw, { account: account.name, credential: undefined });
  if (raw.status === 403) return alive ? forbidden(account, said) : dead(account, said);
  if (raw.status === 404) return absent(account);
  if (raw.status === 400) return judgeRefresh(account, said);
  return refused('request-refused', account, said, 'ask those who run the vault what it means');
}

/** The words of `{"errors":[…]}`, of which there may be none; undefined when it is not that. */
function saying(raw: RawAnswer): string | undefined {
  const errors = jsonOf(raw)?.['errors'];
  if (!Array.isArray(errors)) return undefined;
  const words = errors.filter((one) => typeof one === 'string').join('; ');
  return words === '' ? `status ${raw.status}` : cleanWords(words, raw.asked?.secrets);
}

/** `data` is put into the shape of a token endpoint's answer, and judged like one. */
function judgeSecret(raw: RawAnswer, account: VaultAccount): GrantOutcome {
  const json = jsonOf(raw);
  const data = json?.['data'] as Readonly<Record<string, unknown>> | null | undefined;
  if (json === null || data === undefined || data === null) {
    return judgeTokenAnswer(raw, { account: account.name, credential: undefined });
  }
  const expiresIn = lifeOf(data['expire_time'], raw);
  const answer = {
    access_token: data['access_token'],
    token_type: data['type'] ?? 'Bearer',
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
  };
  const headers = { 'content-type': 'application/json' };
  const outcome = judgeTokenAnswer(
    { ...raw, headers, body: JSON.stringify(answer) },
    { account: account.name, credential: undefined },
  );
  const warnings = Array.isArray(json['warnings']) ? json['warnings'] : [];
  if (outcome.kind !== 'token' || warnings.length === 0) return outcome;
  const told = warnings.map((one) => `the vault warns: ${cleanWords(String(one), raw.asked?.secrets)}`);
  return { ...outcome, oddities: [...outcome.oddities, ...told] };
}

/** Whole seconds until `expire_time` (RFC 3339) by the vault's own clock, if it says what time it is there. */
function lifeOf(value: unknown, raw: RawAnswer): number | undefined {
  const end = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  const theirNow = Date.parse(raw.headers['date'] ?? '');
  const left = Math.floor((end - (Number.isNaN(theirNow) ? raw.sentAt : theirNow)) / 1000);
  return left > 0 ? left : undefined;
}

function passing(raw: RawAnswer, account: VaultAccount, fault: Fault, retryAfter: Fault['retryAt']): GrantOutcome {
  if (raw.status !== 503 || !/sealed/i.test(saying(raw) ?? '')) return { kind: 'later', fault, retryAfter };
  const sealed = new Fault(
    'issuer-overloaded',
    `${account.server} is sealed: it can read nothing until somebody unseals it`,
    {
      hint: 'those who run the vault have to unseal it; tokeep goes on by itself then',
    },
  );
  return { kind: 'later', fault: sealed, retryAfter };
}

/** The engine's own refreshing failed, in its words. */
function judgeRefresh(account: VaultAccount, said: string): GrantOutcome {
  if (/invalid_grant|invalid_token|token pending issuance/i.test(said)) {
    return refused('login-needed', account, said, storeAgain(account));
  }
  if (/configuration problems/i.test(said)) {
    return refused(
      'request-refused',
      account,
      said,
      'those who run the vault have to mend its settings for this issuer',
    );
  }
  if (/invalid_scope|invalid_target/i.test(said)) {
    return refused('request-refused', account, said, 'ask for scopes and audiences that the issuer gives');
  }
  if (/refresh failed|token expired/i.test(said)) {
    const fault = new Fault(
      'issuer-fault',
      `${account.server} has no fresh token for account ${account.name}: ${said}`,
    );
    return { kind: 'later', fault, retryAfter: undefined };
  }
  return refused('request-refused', account, said, 'check secret_path, scope and audience');
}

function dead(account: VaultAccount, said: string): GrantOutcome {
  const causes = 'it ran out, was revoked, or has no right to this path';
  const fault = new Fault(
    'login-needed',
    `${account.server} refuses the vault token of account ${account.name}: ${said}; ${causes}`,
    {
      hint: 'get a new vault token (htgettoken, or `vault token create -period=…`) and put it where the account reads it',
    },
  );
  return { kind: 'refused', fault, oauthError: 'permission denied', credentialDead: true };
}

const forbidden = (account: VaultAccount, said: string): GrantOutcome =>
  refused(
    'request-refused',
    account,
    said,
    `the vault token is good, but its policies do not allow ${account.secretPath}`,
  );

function absent(account: VaultAccount): GrantOutcome {
  return refused('request-refused', account, 'there is nothing at that path', storeAgain(account));
}

function refused(code: FaultCode, account: VaultAccount, said: string, hint: string): GrantOutcome {
  const sentence = `asked ${account.server} for ${account.secretPath} (account ${account.name}): ${said}`;
  return { kind: 'refused', fault: new Fault(code, sentence, { hint }), oauthError: said, credentialDead: false };
}

/** The call that puts a refresh token there, as far as the path tells. */
function storeAgain({ server, secretPath }: VaultAccount): string {
  const parts = /\/(?:creds|sts)\/([^/]+)\/(.+):([^:]+)$/.exec(secretPath);
  if (parts === null) return 'somebody has to log in with htgettoken, so that the vault gets a refresh token';
  const [, issuer, credkey, role] = parts;
  return `a person has to log in once: htgettoken -a ${new URL(server).hostname} -i ${issuer} -r ${role} --credkey ${credkey}`;
}
