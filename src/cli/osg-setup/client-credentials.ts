import { dirname, join } from 'node:path';
import { asClient } from '../../acquire/login.ts';
import { fetchMetadata } from '../../acquire/metadata.ts';
import { osgAccountSection } from '../../config/init-section.ts';
import { osgPlace } from '../../config/load.ts';
import { asFault, Fault } from '../../fault/fault.ts';
import type { IssuerUrl } from '../../token/names.ts';
import { Secret } from '../../token/secret.ts';
import { seconds } from '../../token/time.ts';
import type { Context } from '../context.ts';
import type { LinePrompts } from '../line-prompts.ts';
import { replaceText } from '../replace-text.ts';
import { tryOut } from '../setup/trial.ts';
import type { OsgSetupOptions } from './arguments.ts';

const tokensDirectory = '/etc/osg/tokens';

/**
 * Asks in the order of the old script: issuer, client id, secret. The section is printed without its secret, which the old
 * script showed; the whole section goes into a file for whoever adds it to the configuration.
 */
export async function setUpClientCredentials(
  context: Context,
  prompts: LinePrompts,
  { name }: OsgSetupOptions,
): Promise<void> {
  const { world, signal } = context;
  const issuer = await prompts.line('Token issuer url: ');
  const outcome = await fetchMetadata(world, { issuer: issuer as IssuerUrl, timeout: seconds(30), signal });
  if (outcome.kind === 'failed') throw outcome.fault;
  const { metadata } = outcome;
  const clientId = await prompts.line('Client id: ');
  const text = await prompts.hidden('Secret: ');
  if (clientId === '' || text === '') throw new Fault('usage', 'a client has an id and a secret');
  const clientSecret = new Secret('client_secret', text);
  const authMethod = asClient({ clientId, clientSecret }, metadata).authMethod;
  await warnIfRefused(context, name, {
    kind: 'client-credentials',
    issuer: metadata.issuer,
    caFile: undefined,
    scope: [],
    audience: [],
    clientId,
    authMethod: authMethod === 'client_secret_post' ? authMethod : 'client_secret_basic',
    secret: { file: '', typed: clientSecret },
  });
  const account = { kind: 'client-credentials', name, tokenRequestUrl: metadata.tokenEndpoint, clientId } as const;
  const whole = osgAccountSection({ ...account, clientSecret });
  const config = osgPlace(world);
  const file = join(config.startsWith('/etc/osg/') ? tokensDirectory : dirname(config), `${name}.account`);
  await replaceText(world, file, whole, { mode: 0o600, owner: world.user.uid, group: world.user.gid });
  const shown = whole.replace(/^client_secret = .*$/m, `# client_secret is not shown: the whole section is in ${file}`);
  await context.say(`Add this account to ${config} with: cat ${file} >> ${config} && rm ${file}\n`);
  await context.print(shown);
}

/** The old script tried nothing; a refusal is worth knowing while somebody is there, but stops nothing. */
async function warnIfRefused(context: Context, name: string, plan: Parameters<typeof tryOut>[2]): Promise<void> {
  try {
    await tryOut(context, name, plan);
  } catch (thrown) {
    await context.warn(`warning: no trial token: ${asFault(thrown, 'asking for a trial token').message}`);
  }
}
