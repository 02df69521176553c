import { clientCredentials } from '../../acquire/client-credentials.ts';
import type { ClientCredentialsAccount, SecretRef } from '../../config/config.ts';
import type { AccountName, Audience, IssuerUrl, Scope } from '../../token/names.ts';
import { seconds } from '../../token/time.ts';
import type { Context } from '../context.ts';
import type { Plan } from './plan.ts';

type ClientCredentialsPlan = Extract<Plan, { kind: 'client-credentials' }>;

/** Asks for one token, so that a wrong secret or a refused scope is found out while somebody is there. Throws what came instead. */
export async function tryOut(context: Context, name: string, plan: ClientCredentialsPlan): Promise<void> {
  const { file, typed } = plan.secret;
  const secret: SecretRef = typed === undefined ? { kind: 'file', path: file } : { kind: 'inline', secret: typed };
  const account: ClientCredentialsAccount = {
    grant: 'client_credentials',
    name: name as AccountName,
    at: { file: 'setup', line: 1, column: 1 },
    issuer: { kind: 'discovered', issuer: plan.issuer as IssuerUrl },
    audienceStyle: 'auto',
    timeout: seconds(30),
    fingerprint: 'setup',
    clientId: plan.clientId,
    clientAuth:
      plan.authMethod === 'client_secret_post'
        ? { kind: 'client_secret_post', secret }
        : { kind: 'client_secret_basic', secret, encoding: 'form' },
    ...(plan.caFile === undefined ? {} : { caFile: plan.caFile }),
  };
  const grantContext = { world: context.world, account, record: undefined, secrets: {}, signal: context.signal };
  const scopes = plan.scope as readonly Scope[];
  const raw = await clientCredentials.send(grantContext, {
    audience: { audiences: plan.audience as readonly Audience[] },
    scope: scopes.length === 0 ? { kind: 'absent' } : { kind: 'scopes', scopes },
  });
  if (raw.kind === 'none') throw raw.fault;
  const outcome = clientCredentials.judge(raw, grantContext);
  if (outcome.kind !== 'token') throw outcome.fault;
  const life = outcome.expiresIn === undefined ? 'a time it does not say' : `${Math.round(outcome.expiresIn / 1000)} s`;
  await context.say(`${plan.issuer} gave a trial token, good for ${life}`);
}
