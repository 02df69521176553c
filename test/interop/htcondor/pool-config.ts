/** What the configuration of the pool depends on. */
export interface PoolWish {
  readonly issuer: string;
  readonly webPrefix: string;
  readonly webPort: number;
}

export const domain = 'testpool.local';
/** The audience of the pool's own daemons, for tokens that authenticate (SCITOKENS). */
export const poolAudience = `ce.${domain}:9619`;

/** Lengths in seconds: short enough for a renewal, a mark and a sweep to be seen in a run. */
export const lengths = { accessToken: 30, refreshInJobs: 5, absentOwner: 10, sweepDelay: 15 };

/** Clients of the access point at the OpenID provider, by the name of their service. */
export const services = {
  mytok: { id: 'client-mytok.test', secret: 'mytok-secret-canary-0123456789abcdefghij' },
  other: { id: 'client-other.test', secret: 'other-secret-canary-0123456789abcdefghij' },
} as const;
/** The client of CLIENT_CREDMON, a robot. */
export const robotService = {
  provider: 'robot',
  id: 'client-robot.test',
  secret: 'robot-secret-canary-0123456789abcdef',
};

/** A second local issuer, whose tokens are WLCG's and stand bare in their files. */
export const plainProvider = 'plain';

/** Everything listens on loopback; each user's word is taken for loopback only. */
const base = `
CONDOR_HOST = 127.0.0.1
COLLECTOR_HOST = 127.0.0.1:9618
SHARED_PORT_PORT = 9618
NETWORK_INTERFACE = 127.0.0.1
BIND_ALL_INTERFACES = False
ENABLE_IPV6 = False
UID_DOMAIN = ${domain}
FILESYSTEM_DOMAIN = ${domain}
TRUST_DOMAIN = ${domain}
DAEMON_LIST = MASTER COLLECTOR NEGOTIATOR SCHEDD STARTD
RunBenchmarks = False
NUM_CPUS = 24
MEMORY = 4800
START = True
SUSPEND = False
PREEMPT = False
KILL = False
NEGOTIATOR_INTERVAL = 2
NEGOTIATOR_MIN_INTERVAL = 1
NEGOTIATOR_CYCLE_DELAY = 1
SCHEDD_INTERVAL = 3
SCHEDD_MIN_INTERVAL = 1
UPDATE_INTERVAL = 10
MASTER_BACKOFF_CONSTANT = 1
# A chroot has no cgroups, and its root is no mount point.
BASE_CGROUP =
MOUNT_UNDER_SCRATCH =
DISCARD_SESSION_KEYRING_ON_STARTUP = False
`;

const security = `
SEC_DEFAULT_AUTHENTICATION_METHODS = FS, IDTOKENS, SCITOKENS
SEC_CLIENT_AUTHENTICATION_METHODS = FS, IDTOKENS, SCITOKENS
SEC_DEFAULT_ENCRYPTION = REQUIRED
ALLOW_READ = *@$(UID_DOMAIN)/127.0.0.1
ALLOW_WRITE = *@$(UID_DOMAIN)/127.0.0.1
ALLOW_ADMINISTRATOR = root@$(UID_DOMAIN)/127.0.0.1, condor@$(UID_DOMAIN)/127.0.0.1
ALLOW_DAEMON = condor@$(UID_DOMAIN)/127.0.0.1, condor_pool@$(UID_DOMAIN)/127.0.0.1, root@$(UID_DOMAIN)/127.0.0.1
ALLOW_NEGOTIATOR = condor@$(UID_DOMAIN)/127.0.0.1, root@$(UID_DOMAIN)/127.0.0.1
CERTIFICATE_MAPFILE = /etc/condor/condor_mapfile
CERTIFICATE_MAPFILE_ASSUME_HASH_KEYS = True
SEC_SCITOKENS_PLUGIN_NAMES = TOKEEP
SEC_SCITOKENS_PLUGIN_TOKEEP_COMMAND = /usr/bin/tokeep-map-plugin /etc/condor/map-rules.json
SCITOKENS_SERVER_AUDIENCE = ${poolAudience}
AUTH_SSL_SERVER_CERTFILE = /etc/condor/server.pem
AUTH_SSL_SERVER_KEYFILE = /etc/condor/server.key
AUTH_SSL_SERVER_CAFILE = /etc/condor/ca.pem
AUTH_SSL_CLIENT_CAFILE = /etc/condor/ca.pem
`;

const oauth2 = ({ issuer, webPrefix, webPort }: PoolWish): string => `
CREDD_ARGS = -f
CREDMON_WEB_PREFIX = ${webPrefix}
SEC_CREDENTIAL_REFRESH = ${lengths.refreshInJobs}
SEC_CREDENTIAL_SWEEP_DELAY = ${lengths.sweepDelay}
SEC_CREDENTIAL_SWEEP_INTERVAL = 3
ABSENT_OWNER_LIFETIME = ${lengths.absentOwner}
CRED_SUPER_USERS = pusher@${domain}, pusher
CREDMON_WEB = /usr/bin/tokeep
CREDMON_WEB_ARGS = credmon web
CREDMON_WEB_LOG = $(LOG)/CredMonWebLog
DAEMON_LIST = $(DAEMON_LIST) CREDMON_WEB
TOKEEP_WEB_LISTEN = 127.0.0.1:${webPort}
TOKEEP_WEB_CERTIFICATE = /etc/condor/server.pem
TOKEEP_WEB_KEY = /etc/condor/web.key
TOKEEP_CREDMON_CONFIG = /etc/condor/tokeep.yaml
${Object.entries(services)
  .map(
    ([name, { id }]) => `
${name}_CLIENT_ID = ${id}
${name}_CLIENT_SECRET_FILE = /etc/condor/.secrets/${name}
${name}_RETURN_URL_SUFFIX = /return/${name}
${name}_AUTHORIZATION_URL = ${issuer}/auth
${name}_TOKEN_URL = ${issuer}/token
${name}_ISSUER = ${issuer}`,
  )
  .join('\n')}
`;

const ownTokens = ({ issuer, webPrefix }: PoolWish): string => `
LOCAL_CREDMON_PROVIDER_NAME = scitokens
LOCAL_CREDMON_PROVIDER_NAMES = scitokens, ${plainProvider}
LOCAL_CREDMON_${plainProvider}_TOKEN_USE_JSON = False
LOCAL_CREDMON_${plainProvider}_TOKEN_VERSION = wlcg:1.0
LOCAL_CREDMON_${plainProvider}_AUTHZ_TEMPLATE = storage.read:/{username} compute.read
LOCAL_CREDMON_ISSUER = ${webPrefix}
LOCAL_CREDMON_TOKEN_AUDIENCE = ${poolAudience}
LOCAL_CREDMON_TOKEN_LIFETIME = 1200
LOCAL_CREDMON_AUTHZ_TEMPLATE = condor:/READ condor:/WRITE read:/user/{username}
CLIENT_CREDMON_PROVIDER_NAMES = ${robotService.provider}
CLIENT_CREDMON_ROBOT_CLIENT_ID = ${robotService.id}
CLIENT_CREDMON_ROBOT_CLIENT_SECRET_FILE = /etc/condor/.secrets/${robotService.provider}
CLIENT_CREDMON_ROBOT_ISSUER = ${issuer}
CLIENT_CREDMON_ROBOT_AUTHZ_TEMPLATE = compute.read
# Every job that asks for it gets a token of the local issuer, beside what it asks for itself.
JOB_TRANSFORM_NAMES = $(JOB_TRANSFORM_NAMES) AddSciToken
JOB_TRANSFORM_AddSciToken @=end
[ Requirements = (WantSciToken ?: False); Eval_Set_OAuthServicesNeeded = strcat("scitokens", OAuthServicesNeeded isnt undefined ? strcat(",", OAuthServicesNeeded) : ""); ]
@end
`;

/** Files of /etc/condor/config.d, by their names; those that we ship come beside them. */
export const poolConfig = (wish: PoolWish): Readonly<Record<string, string>> => ({
  '10-testpool.conf': base,
  '20-security.conf': security,
  '55-oauth2.conf': oauth2(wish),
  '57-own-tokens.conf': ownTokens(wish),
});
