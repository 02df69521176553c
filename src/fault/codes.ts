/** Whose turn it is: `wait` means nobody's, it will be tried again; `bug` means ours. */
export type Who = 'user' | 'operator' | 'issuer' | 'wait' | 'bug';

/** Exit codes of every command (docs/cli.md). */
export const exit = {
  fine: 0,
  internal: 1,
  usage: 2,
  configuration: 3,
  temporary: 4,
  person: 5,
  refused: 6,
  second: 7,
  /** What condor_master takes for a log that cannot be opened. */
  log: 44,
} as const;
export type ExitCode = (typeof exit)[keyof typeof exit];

interface CodeEntry {
  readonly who: Who;
  readonly exit: ExitCode;
  readonly meaning: string;
}

const code = (who: Who, exitCode: ExitCode, meaning: string): CodeEntry => ({ who, exit: exitCode, meaning });

/**
 * Every fault tokeep can name, once. `docs/errors.md` is generated from this table, and a test holds the two together.
 * Add a line here before throwing a new code.
 */
export const faultCodes = {
  // the caller
  usage: code('user', exit.usage, 'the command line does not make sense'),
  'demo-failed': code('operator', exit.internal, 'the demonstration did not show what it is there to show'),
  'output-failed': code('operator', exit.internal, 'the result could not be written to where it was sent'),
  // configuration
  'config-invalid': code(
    'operator',
    exit.configuration,
    'the configuration has an error; the message has file, line and column',
  ),
  'config-missing': code('operator', exit.configuration, 'no configuration file was found where it was looked for'),
  'config-unwritable': code(
    'operator',
    exit.configuration,
    'a configuration file could not be written; it is as it was',
  ),
  'secret-unreadable': code('operator', exit.configuration, 'a secret named by the configuration could not be read'),
  'command-untrusted': code(
    'operator',
    exit.configuration,
    'a command named by the configuration could be changed by others, and is not run',
  ),
  'command-failed': code('operator', exit.temporary, 'a command run by tokeep failed, hung, or said too much'),
  'condor-unreadable': code(
    'operator',
    exit.configuration,
    "HTCondor's configuration could not be read with condor_config_val",
  ),
  // state
  'state-unsafe': code(
    'operator',
    exit.configuration,
    'the state directory has the wrong owner, mode or type, and is not used',
  ),
  'state-newer': code('operator', exit.configuration, 'the state was written by a newer tokeep'),
  'state-busy': code('wait', exit.temporary, 'another tokeep holds the state'),
  'state-second-run': code('operator', exit.second, 'a second `tokeep run` on the same state'),
  'state-broken': code('operator', exit.internal, 'the state could not be read; it was moved aside'),
  'state-write-failed': code('operator', exit.temporary, 'the state could not be written'),
  'state-conflict': code('wait', exit.temporary, 'somebody else changed the record in between'),
  'seal-wrong-key': code('operator', exit.configuration, 'the sealing key is not the one the secrets were sealed with'),
  'seal-key-unusable': code(
    'operator',
    exit.configuration,
    'the sealing key is missing, is not a key, or others can read it',
  ),
  'seal-damaged': code('operator', exit.internal, 'a sealed secret does not open: it was changed or moved'),
  'successor-unsaved': code(
    'operator',
    exit.temporary,
    'the issuer gave a new refresh token and no disk takes it; it is held in memory',
  ),
  'log-unwritable': code('operator', exit.log, 'the log file of the credmon cannot be opened'),
  // issuer and network
  'issuer-unreachable': code('wait', exit.temporary, 'the issuer could not be reached'),
  'issuer-timeout': code('wait', exit.temporary, 'the issuer did not answer in time'),
  'issuer-overloaded': code('wait', exit.temporary, 'the issuer asked to come back later (429 or 503)'),
  'issuer-fault': code('wait', exit.temporary, 'the issuer answered with a fault of its own (5xx)'),
  'issuer-nonsense': code(
    'issuer',
    exit.temporary,
    'the answer was not what a token endpoint says (HTML, wrong types, too large)',
  ),
  'issuer-tls': code('operator', exit.temporary, 'the TLS certificate of the issuer was not accepted'),
  'issuer-mismatch': code('operator', exit.person, 'the metadata names another issuer than the configuration'),
  'issuer-unsupported': code('operator', exit.person, 'the issuer does not offer what is asked of it'),
  'outcome-unknown': code('wait', exit.temporary, 'the request was sent and no answer came: it may have been done'),
  // answers
  'login-needed': code('user', exit.person, 'the refresh token is dead; somebody has to log in again'),
  'login-suspended': code(
    'wait',
    exit.person,
    'the issuer refuses the refresh token; it is looked at again once an hour',
  ),
  'client-refused': code('operator', exit.person, 'the issuer does not accept the client id or its secret'),
  'request-refused': code('operator', exit.person, 'the issuer refuses what was asked (scope, audience, grant)'),
  'token-not-replaced': code(
    'operator',
    exit.person,
    'somebody else brings this token, and has not brought the next one',
  ),
  'token-worse': code(
    'issuer',
    exit.temporary,
    'the issuer gave a token that is worse than the one at hand; it is not delivered',
  ),
  'token-remarked': code(
    'operator',
    exit.fine,
    'an issuer of our own signed the token and has a remark: what it cut, or a key that services do not know yet',
  ),
  'token-narrow': code('issuer', exit.fine, 'the issuer gave fewer scopes than wished'),
  'token-short': code(
    'operator',
    exit.fine,
    'tokens of this issuer live shorter than min_lifetime asks for; the renewal point decides',
  ),
  'life-too-short': code('user', exit.person, 'tokens of this issuer live shorter than the command line asks for'),
  'token-none': code('wait', exit.temporary, 'there is no usable token at the moment'),
  'token-invalid': code('user', exit.refused, 'what was given is not a token'),
  'login-declined': code('user', exit.person, 'the login was declined, or its code ran out'),
  // delivery
  'target-refused': code(
    'operator',
    exit.person,
    'the target is not safe to write to (link, type, owner), or not for us to write to',
  ),
  'target-failed': code('operator', exit.temporary, 'the token could not be delivered'),
  'credential-directory-unsafe': code(
    'operator',
    exit.configuration,
    "HTCondor's credential directory is missing, or others can get at it; it is not used",
  ),
  'credential-missing': code(
    'user',
    exit.person,
    'HTCondor has no credential of the user from which the token of a job could be made',
  ),
  // oidc-agent
  'agent-unreachable': code(
    'operator',
    exit.temporary,
    'no oidc-agent answers at its socket, or the socket is not safe to ask',
  ),
  'agent-file-invalid': code(
    'operator',
    exit.configuration,
    'an oidc-agent account file could not be opened: wrong password, another format, or damage',
  ),
  'agent-file-busy': code(
    'operator',
    exit.temporary,
    'an oidc-agent account file is in use by others, so a new refresh token is not written back to it yet',
  ),
  'agent-file-unwritten': code(
    'operator',
    exit.temporary,
    'a new refresh token could not be written back to oidc-agent',
  ),
  // issuing
  'issuer-missing': code(
    'operator',
    exit.configuration,
    'there is no issuer in this directory, or its settings cannot be read',
  ),
  'issuer-exists': code('operator', exit.configuration, 'there is an issuer in this directory already'),
  'policy-refused': code('operator', exit.person, 'the policy of the issuer does not allow such a token to be signed'),
  'signing-key-missing': code('operator', exit.configuration, 'the issuer has no key to sign with'),
  'signing-key-unusable': code(
    'operator',
    exit.configuration,
    'a signing key cannot be read, or is none that tokens are signed with',
  ),
  'rotation-early': code('operator', exit.temporary, 'a step of a key rotation would break verifiers at this time'),
  'site-wrong': code(
    'operator',
    exit.person,
    'what an issuer publishes does not fit its keys, or services cannot use it',
  ),
  'audit-broken': code(
    'operator',
    exit.internal,
    'the audit log is not whole: a line was changed, or its end is missing',
  ),
  // verifying
  'token-refused': code('user', exit.refused, 'the token does not allow it, or is not accepted'),
  'keys-unavailable': code('wait', exit.temporary, 'the keys of an issuer could not be had'),
  // credentials of users
  'credential-unfit': code(
    'user',
    exit.person,
    'what a user stored for HTCondor is nothing that tokens can be got with',
  ),
  'credmon-absent': code('operator', exit.person, "no credmon runs that would renew the tokens of HTCondor's jobs"),
  'server-untrusted': code(
    'operator',
    exit.person,
    'a user named a server that the configuration does not trust; nothing is sent there',
  ),
  // discovery of tokens
  'discovery-invalid': code('user', exit.refused, 'the place where a token should be holds something else'),
  // ours
  'notify-failed': code('operator', exit.temporary, 'a message could not be sent'),
  bug: code('bug', exit.internal, 'something that must not happen did; please report it'),
} as const satisfies Record<string, CodeEntry>;

export type FaultCode = keyof typeof faultCodes;

/** The worst of several exit codes: 1 > 3 > 5 > 4, then anything above 0 (design of the commands, docs/cli.md). */
export function worstExit(codes: Iterable<ExitCode>): ExitCode {
  const order: readonly ExitCode[] = [exit.internal, exit.configuration, exit.person, exit.temporary];
  const seen = new Set(codes);
  for (const candidate of order) if (seen.has(candidate)) return candidate;
  for (const other of seen) if (other !== exit.fine) return other;
  return exit.fine;
}
