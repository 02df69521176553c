import { z } from 'zod';
import { duration, issuerUrl, keyPlace, path, secret, section, text, url } from './schema-values.ts';

const common = {
  audience_style: z.enum(['auto', 'audience', 'resource', 'both']).optional().meta({
    description:
      "how the issuer is told the audience: WLCG's `audience`, RFC 8707's `resource`, both, or found out (`auto`, the default)",
  }),
  ca_file: path
    .optional()
    .meta({ description: "a PEM file with the CAs to trust for this account instead of the system's" }),
  refresh_lifetime: duration.optional().meta({
    description: 'how long a refresh token of this issuer lives, if the issuer does not say it',
  }),
  timeout: duration.optional().meta({ description: 'how long one request may take (default 30s)' }),
};

const issuer = {
  issuer: issuerUrl
    .optional()
    .meta({ description: 'the issuer, exactly as it stands in `iss`, with or without the last slash' }),
  token_endpoint: url.optional().meta({
    description: 'instead of `issuer`, for an issuer without metadata; then the issuer of a token is not compared',
  }),
};

const client = {
  client_auth: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']).optional().meta({
    description: 'how the client proves itself; default: from the secret that is given',
  }),
  client_secret: secret.optional().meta({ description: 'the secret of the client, by reference' }),
  secret_encoding: z.enum(['form', 'raw']).optional().meta({
    description:
      "for client_secret_basic: form-encoded as RFC 6749 section 2.3.1 says (default), or `raw`, as OSG's renewer sends it",
  }),
  private_key: secret
    .optional()
    .meta({ description: 'for private_key_jwt: the key, PEM (PKCS #8) or JWK, by reference' }),
  key_id: text.optional().meta({ description: 'for private_key_jwt: the `kid` of the key' }),
  algorithm: text
    .optional()
    .meta({ description: 'for private_key_jwt: the signing algorithm (default: what fits the key)' }),
};
const clientId = text.meta({ description: 'the id of the client' });

const clientCredentials = section({
  grant: z.literal('client_credentials'),
  ...issuer,
  client_id: clientId,
  ...client,
  ...common,
}).meta({ description: 'A service with an id and a secret of its own (RFC 6749 section 4.4).' });

const refreshToken = section({
  grant: z.literal('refresh_token'),
  ...issuer,
  client_id: clientId.optional(),
  ...client,
  oidc_agent_file: path.optional().meta({
    description: 'an account file of oidc-agent to take over; new refresh tokens are written back into it',
  }),
  password: secret.optional().meta({ description: 'the encryption password of `oidc_agent_file`' }),
  ...common,
}).meta({ description: 'Somebody logged in once, with `tokeep setup NAME`; the refresh token lies in the state.' });

const oidcAgent = section({
  grant: z.literal('oidc_agent'),
  shortname: text
    .optional()
    .meta({ description: "the agent's name for the account (default: the name of this section)" }),
  socket: path.optional().meta({ description: "the agent's socket (default: `OIDC_SOCK`, then the service's socket)" }),
  issuer: issuer.issuer,
  ...common,
}).meta({ description: 'A running oidc-agent is asked.' });

const mytoken = section({
  grant: z.literal('mytoken'),
  server: url.meta({ description: 'the Mytoken server' }),
  mytoken: secret.meta({ description: 'the first mytoken; if the server rotates it, the one in the state leads' }),
  issuer: issuer.issuer,
  ...common,
}).meta({ description: 'A Mytoken server is asked.' });

const vault = section({
  grant: z.literal('vault'),
  server: url.meta({ description: 'the Vault server of htvault-config' }),
  secret_path: text.meta({ description: 'such as `secret/oauth/creds/demo/alice:default`, without `/v1/`' }),
  vault_token: secret.meta({ description: 'the vault token' }),
  issuer: issuer.issuer,
  ...common,
}).meta({ description: 'A Vault server is asked, as htgettoken does.' });

const tokenExchange = section({
  grant: z.literal('token_exchange'),
  ...issuer,
  client_id: clientId,
  ...client,
  subject: text.meta({ description: 'the token that is exchanged, by its name in `tokens` (RFC 8693 section 2.1)' }),
  ...common,
}).meta({ description: 'Another token is exchanged for one of this account.' });

const signingKey = section({
  grant: z.literal('signing_key'),
  keys: path.meta({ description: 'the directory of the issuer, as `tokeep issuer init --dir` made it' }),
  issuer: issuer.issuer,
  profile: z
    .enum(['wlcg', 'scitokens', 'at+jwt'])
    .optional()
    .meta({ description: "the profile of the tokens; must be that of the issuer's issuer.yaml" }),
  ...common,
}).meta({ description: 'An issuer of our own: tokens are signed here, under its policy; no network is needed.' });

const idtoken = section({
  grant: z.literal('idtoken'),
  trust_domain: text.meta({ description: 'TRUST_DOMAIN of the pool, to the letter' }),
  key: keyPlace.meta({ description: 'the signing key, as it lies in `/etc/condor/passwords.d`, by reference' }),
  key_id: text.optional().meta({ description: 'the name of the key (default: `POOL`)' }),
  ...common,
}).meta({ description: 'A signing key of an HTCondor pool: IDTOKENS are made here; no network is needed.' });

export const accountSchema = z.discriminatedUnion('grant', [
  clientCredentials,
  refreshToken,
  oidcAgent,
  mytoken,
  vault,
  tokenExchange,
  signingKey,
  idtoken,
]);
export type AccountInput = z.output<typeof accountSchema>;
