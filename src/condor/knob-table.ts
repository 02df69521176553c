/**
 * What becomes of a knob. `unchanged` is what HTCondor's own programs read, and what holds there as before; `ignored` is what the
 * shipped credmons read and this one does not.
 */
export type KnobState = 'honoured' | 'new' | 'ignored' | 'unchanged';

export interface KnobEntry {
  /** `<SVC>` stands for a provider with a client, `[_<PROVIDER>]` for a provider or for all. */
  readonly name: string;
  readonly state: KnobState;
  /** As a person would write it; `none` is not set. */
  readonly fallback: string;
  /** What it does, or why it does nothing here. */
  readonly meaning: string;
}

export interface KnobGroup {
  readonly title: string;
  readonly knobs: readonly KnobEntry[];
}

const entry =
  (state: KnobState) =>
  (name: string, fallback: string, meaning: string): KnobEntry => ({ name, state, fallback, meaning });
const honoured = entry('honoured');
const fresh = entry('new');
const ignored = entry('ignored');
const unchanged = entry('unchanged');

const place: KnobGroup = {
  title: 'Where the credmon works',
  knobs: [
    honoured(
      'SEC_CREDENTIAL_DIRECTORY_OAUTH',
      'none; /var/lib/condor/oauth_credentials with `use feature : OAUTH`',
      'the credential directory',
    ),
    honoured('SEC_CREDENTIAL_DIRECTORY', 'none', 'its older name, where the new one is not set'),
    honoured(
      'TRUST_CREDENTIAL_DIRECTORY',
      'False',
      "whether the shadow takes `.use` files that are not root's; a pool without root needs it",
    ),
    honoured(
      'SEC_CREDENTIAL_REFRESH',
      '300',
      'how often a job looks for a new token; tokens are renewed that much earlier',
    ),
    honoured('CREDMON_ALLOW_SPECIAL_CHAR_NAMES', 'False', 'names of providers may have `_`, and there are no handles'),
    honoured('CREDMON_OAUTH_LOG', 'none; $(LOG)/CredMonOAuthLog with `use feature : OAUTH`', 'the log'),
    honoured('SEC_CREDENTIAL_MONITOR_OAUTH_LOG', 'none', 'an older name of CREDMON_OAUTH_LOG'),
    honoured('SEC_CREDENTIAL_MONITOR_LOG', 'none', 'the oldest name of CREDMON_OAUTH_LOG'),
    honoured('FULL_HOSTNAME', 'found by HTCondor', 'the name of the access point in default addresses'),
    honoured('LOCAL_DIR', '/var/lib/condor', 'where a pool without root keeps its state'),
    fresh(
      'TOKEEP_CREDMON_STATE',
      '/var/lib/tokeep-credmon; without root $(LOCAL_DIR)/tokeep-credmon',
      'what is known of credentials and issuers; mode 0700',
    ),
    fresh(
      'TOKEEP_CREDMON_CONFIG',
      'none',
      'a configuration of tokeep whose `notify`, `limits`, `seal` and `metrics` hold here, too. Other limits, messages and `metrics.textfile` hold from the next condor_reconfig on; the rest takes a restart',
    ),
    fresh('TOKEEP_USE_JSON', 'True', 'False: every `.use` is the bare token, whatever its kind'),
    fresh(
      'TOKEEP_CREDMON_NETWORK_USER',
      'nobody',
      'as whom the process runs that speaks to issuers, where the credmon is root; best a user that nothing else runs as',
    ),
    unchanged(
      'CREDMON_OAUTH',
      '$(SBIN)/condor_credmon_oauth',
      'the program that condor_master starts: this is the knob to change',
    ),
    unchanged('CREDMON_OAUTH_ARGS', 'none', 'its arguments'),
    ignored('CREDMON_OAUTH_DEBUG', 'none', "levels of HTCondor's own log; `-d` in CREDMON_OAUTH_ARGS says more"),
    honoured('MAX_CREDMON_OAUTH_LOG', '10 Mb', 'when the log is moved to `.old`; 0 is never'),
    ignored(
      'SEC_CREDENTIAL_MONITOR',
      'none',
      'an older name of CREDMON_OAUTH, which HTCondor itself does not read any more',
    ),
  ],
};

const owners: KnobGroup = {
  title: 'Who takes care of a name',
  knobs: [
    honoured('LOCAL_CREDMON_PROVIDER_NAMES', 'scitokens', "tokens of the access point's own issuer"),
    honoured('LOCAL_CREDMON_PROVIDER_NAME', 'scitokens', 'the same, before there could be several'),
    honoured('CLIENT_CREDMON_PROVIDER_NAMES', 'none', 'tokens by client credentials'),
    honoured(
      'OAUTH2_CREDMON_PROVIDER_NAMES',
      '*',
      'tokens by web login; `*`: all that no list names and that have a `<SVC>_CLIENT_ID`',
    ),
    honoured(
      'VAULT_CREDMON_PROVIDER_NAMES',
      '*',
      'tokens from a vault; `*`: all that no list names and that have no `<SVC>_CLIENT_ID`',
    ),
    honoured('PELICAN_CREDMON_PROVIDER_NAMES', 'none', 'names that are left alone: tokens of Pelican are not ours'),
    honoured(
      'SEC_CREDENTIAL_STORER',
      'none',
      'run by condor_submit as before; that it is set means that vault is in use',
    ),
    fresh(
      'MYTOKEN_CREDMON_PROVIDER_NAMES',
      'none',
      "tokens from a mytoken server; a name may stand in OAUTH2's or VAULT's list as well, so that condor_credd stores it",
    ),
  ],
};

const oauth2: KnobGroup = {
  title: 'OAuth2',
  knobs: [
    honoured('<SVC>_CLIENT_ID', 'none', 'the client of the access point'),
    honoured(
      '<SVC>_CLIENT_SECRET_FILE',
      'none',
      'its secret: what stands in front of the first control character; closed to others',
    ),
    honoured('<SVC>_TOKEN_URL', 'known for BOX, GDRIVE, ONEDRIVE, DROPBOX', 'where tokens are asked for'),
    honoured('<SVC>_AUTHORIZATION_URL', 'known for BOX, GDRIVE, ONEDRIVE, DROPBOX', 'where users log in'),
    honoured('<SVC>_USER_URL', 'none', 'where the issuer says who logged in'),
    honoured('<SVC>_RETURN_URL_SUFFIX', 'none', 'where the issuer sends users back to, below CREDMON_WEB_PREFIX'),
    fresh(
      '<SVC>_ISSUER',
      'none',
      'the issuer: its metadata names the token endpoint, and a login or token of another one is refused',
    ),
    unchanged('<SVC>_USER_DEFINE_SCOPES', 'none', 'read by condor_submit, and so are `_AUDIENCE` and `_OPTIONS`'),
    unchanged('<SVC>_DEFAULT_SCOPES', 'none', 'read by condor_submit, and so are `_AUDIENCE` and `_OPTIONS`'),
  ],
};

const local: KnobGroup = {
  title: 'The local issuer',
  knobs: [
    honoured(
      'LOCAL_CREDMON[_<PROVIDER>]_PRIVATE_KEY',
      '/etc/condor/scitokens-private.pem',
      'the signing key; made if it is missing',
    ),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_PUBLIC_KEY', '/etc/condor/scitokens.pem', 'its public half, to be published'),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_KEY_ID', 'local', 'its `kid`'),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_PRIVATE_KEY_ALGORITHM', 'ES256', 'ES256 or RS256'),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_ISSUER', 'https://$(FULL_HOSTNAME)', '`iss`'),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_TOKEN_LIFETIME', '1200', 'how long a token lives, in seconds'),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_TOKEN_AUDIENCE', 'none', '`aud`, separated by blanks; scitoken:2.0 needs one'),
    honoured(
      'LOCAL_CREDMON[_<PROVIDER>]_TOKEN_VERSION',
      'scitoken:2.0',
      '`ver`; `wlcg` and `wlcg:1.0` make WLCG tokens',
    ),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_TOKEN_USE_JSON', 'True', '`.use` is JSON; else the bare token'),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_AUTHZ_TEMPLATE', 'read:/user/{username} write:/user/{username}', 'the scopes'),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_AUTHZ_TEMPLATE_EXPR', 'none', 'a ClassAd expression that gives more scopes'),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_AUTHZ_GROUP_TEMPLATE', 'none', 'more scopes for each group of the user'),
    honoured(
      'LOCAL_CREDMON[_<PROVIDER>]_AUTHZ_GROUP_MAPFILE',
      'none',
      'who is in which group: lines `* USER GROUP,GROUP`',
    ),
    honoured('LOCAL_CREDMON[_<PROVIDER>]_AUTHZ_GROUP_REQUIREMENT', 'none', 'the group a user must be in'),
    ignored(
      'LOCAL_CREDMON_KRB_MODE',
      'none',
      'the first credmons disguised tokens as Kerberos tickets; HTCondor does not know that any more',
    ),
  ],
};

const client: KnobGroup = {
  title: 'Client credentials',
  knobs: [
    honoured('CLIENT_CREDMON[_<PROVIDER>]_CLIENT_ID', 'none', 'the client'),
    honoured('CLIENT_CREDMON[_<PROVIDER>]_CLIENT_SECRET_FILE', 'none', 'its secret; a public client has none'),
    honoured('CLIENT_CREDMON[_<PROVIDER>]_ISSUER', 'none', 'the issuer, whose metadata names the token endpoint'),
    honoured('CLIENT_CREDMON[_<PROVIDER>]_TOKEN_URL', 'none', 'the token endpoint, if it is not to be looked for'),
    honoured('CLIENT_CREDMON[_<PROVIDER>]_TOKEN_AUDIENCE', 'none', 'the audience asked for, separated by blanks'),
    honoured(
      'CLIENT_CREDMON[_<PROVIDER>]_TOKEN_VERSION',
      'none',
      '`wlcg` and `wlcg:1.0` ask for the scope `wlcg`, too',
    ),
    honoured(
      'CLIENT_CREDMON[_<PROVIDER>]_AUTHZ_TEMPLATE',
      'read:/user/{username} write:/user/{username}',
      'the scopes asked for',
    ),
    honoured('CLIENT_CREDMON[_<PROVIDER>]_AUTHZ_TEMPLATE_EXPR', 'none', 'as of the local issuer'),
    honoured('CLIENT_CREDMON[_<PROVIDER>]_AUTHZ_GROUP_TEMPLATE', 'none', 'as of the local issuer'),
    honoured('CLIENT_CREDMON[_<PROVIDER>]_AUTHZ_GROUP_MAPFILE', 'none', 'as of the local issuer'),
    honoured('CLIENT_CREDMON[_<PROVIDER>]_AUTHZ_GROUP_REQUIREMENT', 'none', 'as of the local issuer'),
    ignored(
      'CLIENT_CREDMON[_<PROVIDER>]_TOKEN_ENDPOINT_LIFETIME',
      '3600',
      'how long metadata is kept is up to the issuer and to us',
    ),
    ignored('CLIENT_CREDMON[_<PROVIDER>]_TOKEN_LIFETIME', '1200', 'the token itself says how long it lives'),
    ignored('CLIENT_CREDMON[_<PROVIDER>]_TOKEN_USE_JSON', 'True', '`.use` is always JSON'),
    ignored(
      'CLIENT_CREDMON[_<PROVIDER>]_PRIVATE_KEY',
      'none',
      'nothing is signed here; `_KEY_ID` and `_PRIVATE_KEY_ALGORITHM` likewise',
    ),
  ],
};

const others: KnobGroup = {
  title: 'Vault, mytoken, Pelican',
  knobs: [
    honoured(
      'TRUSTED_VAULT_HOSTS',
      'none',
      'where vault tokens may be sent: `host` or `host:port`; not set means nowhere, and `tokeep credmon status` says so',
    ),
    honoured('CREDMON_OAUTH_TOKEN_MINIMUM', '2400', 'how long a token from a vault has to live at least, in seconds'),
    honoured('AUTH_SSL_CLIENT_CAFILE', 'the CAs of the machine', 'CAs for vault servers'),
    fresh('TOKEEP_MYTOKEN_SERVERS', 'none', 'where mytokens may be sent: `https://host`; not set means nowhere'),
    fresh('TOKEEP_MYTOKEN_CA_FILE', 'the CAs of the machine', 'CAs for mytoken servers'),
    unchanged('SEC_CREDENTIAL_GETTOKEN_OPTS', 'none', 'read by condor_credential_storer'),
    unchanged('SEC_CREDENTIAL_VAULT_STORER_OPTS', 'none', 'read by condor_credential_storer'),
    ignored(
      'CREDMON_OAUTH_TOKEN_REFRESH',
      'half of CREDMON_OAUTH_TOKEN_MINIMUM',
      'tokens are renewed by when they end, not by their age',
    ),
    ignored('AUTH_SSL_CLIENT_CADIR', 'none', 'put the CAs into one file, and name that'),
    ignored(
      '<SVC>_PELICAN_URL',
      'none',
      'names of PELICAN_CREDMON_PROVIDER_NAMES are left alone, and all their `<SVC>_PELICAN_*`',
    ),
    ignored('PELICAN_CREDMON_CA_FILE', 'none', 'as above'),
    ignored('PELICAN_CREDMON_TLS_SKIP_VERIFY', 'False', 'as above'),
  ],
};

const web: KnobGroup = {
  title: 'The web login (`tokeep credmon web`)',
  knobs: [
    honoured('CREDMON_WEB_PREFIX', 'https://$(FULL_HOSTNAME)', 'the address of the web login, as users see it'),
    fresh('TOKEEP_WEB_LISTEN', '127.0.0.1:8443', 'where it listens: `host:port` or `unix:/path`'),
    fresh('TOKEEP_WEB_CERTIFICATE', 'none', 'its certificate chain (PEM); none behind a proxy'),
    fresh('TOKEEP_WEB_KEY', 'none', 'the key of the certificate'),
    fresh('TOKEEP_WEB_TRUSTED_PROXIES', 'none', 'addresses and networks of proxies that are believed'),
    fresh('CREDMON_WEB_LOG', 'stderr', 'its log, which condor_master would else keep nothing of'),
    fresh('TOKEEP_WEB_USER', 'condor; without root the owner of the pool', 'as whom it runs'),
    fresh(
      'TOKEEP_WEB_STATE',
      '/var/lib/tokeep-credmon-web; without root $(LOCAL_DIR)/tokeep-web',
      'sessions, and who logged in for whom; mode 0700',
    ),
    fresh('TOKEEP_WEB_LOGIN', 'none', 'who may confirm a login: `none` (who has the link), `proxy` or `oidc`'),
    fresh('TOKEEP_WEB_LOGIN_HEADER', 'X-Remote-User', 'the header in which the proxy names the user'),
    fresh('TOKEEP_WEB_LOGIN_ISSUER', 'none', 'the issuer of the site, for `oidc`'),
    fresh('TOKEEP_WEB_LOGIN_CLIENT_ID', 'none', 'the client there'),
    fresh('TOKEEP_WEB_LOGIN_CLIENT_SECRET_FILE', 'none', 'its secret'),
    fresh('TOKEEP_WEB_LOGIN_SCOPE', 'openid profile email', 'the scopes asked for'),
    fresh('TOKEEP_WEB_LOGIN_CLAIM', 'preferred_username', 'the claim that names the local user'),
    fresh('TOKEEP_WEB_LOGIN_STRIP_DOMAIN', 'False', 'only the part in front of `@` counts'),
    fresh('TOKEEP_WEB_LOGIN_MAPFILE', 'none', 'lines `* CLAIM USER`, where the claim is not the local user'),
  ],
};

const htcondor: KnobGroup = {
  title: 'Around it',
  knobs: [
    unchanged('AUTO_INCLUDE_CREDD_IN_DAEMON_LIST', 'False', 'read by condor_master'),
    unchanged(
      'CREDD',
      '$(SBIN)/condor_credd',
      'and `CREDD_ARGS`, `CREDD_HOST`, `CREDD_LOG`, `CREDD_PORT`: condor_credd stays as it is',
    ),
    unchanged('CREDD_POLLING_TIMEOUT', '20', 'how long condor_credd waits for a `.use`'),
    unchanged('CRED_SUPER_USERS', 'none', 'who may store credentials for others'),
    unchanged('SEC_CREDENTIAL_SWEEP_INTERVAL', '300', 'how often condor_credd looks for users to sweep'),
    unchanged('SEC_CREDENTIAL_SWEEP_DELAY', '3600', 'how long after the last job a user is swept'),
    unchanged('ABSENT_OWNER_LIFETIME', '300', 'how long after the last job a user is marked'),
    unchanged('ALLOW_OAUTH_WITHOUT_ENCRYPTION', 'False', 'read by condor_starter'),
    unchanged('SEC_PROCESS_SUBMIT_TOKENS', 'True', 'read by condor_submit (before 24)'),
    unchanged('SUBMIT_ADD_LOCAL_CREDMON_PROVIDERS', 'True', 'every job gets the local tokens (since 25)'),
    unchanged('SUBMIT_ADD_LOCAL_CREDMON_PROVIDER_NAMES', 'all of LOCAL and CLIENT', 'which of them'),
    unchanged('SEC_CREDENTIAL_PRODUCER', 'none', 'run by condor_submit'),
    ignored('CREDMON_KRB', '$(SBIN)/condor_credmon_krb', "Kerberos tickets stay with HTCondor's own credmon"),
    ignored('SEC_CREDENTIAL_DIRECTORY_KRB', 'none', 'as above'),
    ignored('SEC_CREDENTIAL_MONITOR_KRB_LOG', 'none', 'as above'),
    ignored('SEC_CREDENTIAL_REFRESH_INTERVAL', '-1', 'as above'),
  ],
};

/** Every knob that concerns tokens of jobs, and what becomes of it; a test holds it to what is asked for. */
export const knobTable: readonly KnobGroup[] = [place, owners, oauth2, local, client, others, web, htcondor];
