import type { StoreCredAnswer, StoredCredential } from '../deliver/store-cred.ts';
import { Fault } from '../fault/fault.ts';
import { type Millis, millis, seconds } from '../token/time.ts';
import { requestName, type StoreRequest } from './store-request.ts';

/** What a storer works with, as the user who submits. */
export interface StorerPorts {
  /** Asks condor_credd, with condor_store_cred. */
  ask(action: 'add' | 'query' | 'delete', credential: StoredCredential, body?: string): Promise<StoreCredAnswer>;
  /** Has the access point an issuer or a client of its own for this name, so that nobody has to log in? */
  isOwnProvider(service: string): Promise<boolean>;
  sleep(length: Millis): Promise<void>;
  say(sentence: string): Promise<void>;
  /** As `say`, where a person sits before it and would wonder. */
  reassure(sentence: string): Promise<void>;
  /** Where all this is, for whom: what those who look after it want to know. */
  readonly here: { readonly host: string; readonly user: string };
}

/** As long as condor_credd waits for a credmon (CREDD_POLLING_TIMEOUT). */
const patience = seconds(20);
/** No secret: scopes and audience come into it from the arguments of condor_store_cred. */
const emptyBody = '{}\n';
const firstLook = millis(100);
const longestPause = seconds(1);
/** A person who waits longer wants to know what for. */
const wonderAfter = seconds(1);

/**
 * Sees to it that a service of a job has its credential, and a token made from it. A handle is stored as a narrower use of the service's own
 * credential: its scopes and audience, and no secret; the credmon derives the token. What is there and fits is left alone.
 *
 * Throws when somebody has to do something first; condor_submit stops then, and the user reads why.
 */
export async function seeToCredential(ports: StorerPorts, request: StoreRequest): Promise<void> {
  if (request.handle !== undefined) return seeToHandle(ports, request);
  const { service, scopes, audience } = request;
  const answer = await ports.ask('query', { service, ...asked(request) });
  switch (answer.kind) {
    case 'done':
    case 'opaque':
      return;
    case 'pending':
      return waitForToken(ports, request);
    case 'none':
      if (scopes !== undefined || audience !== undefined || !(await ports.isOwnProvider(service))) {
        throw nothingToDeriveFrom(request);
      }
      await storeOwn(ports, service);
      return waitForToken(ports, request);
    case 'mismatch':
      // With nothing asked for, whatever the user has is what the job gets.
      if (scopes === undefined && audience === undefined) return;
      throw new Fault(
        'request-refused',
        `your credential ${service} is there with other permissions than this job asks for`,
        {
          hint: `give the job's permissions a name of their own, such as ${service}_oauth_permissions_rd, and the job gets a token of its own for them`,
        },
      );
    default:
      throw refused(answer, request);
  }
}

async function seeToHandle(ports: StorerPorts, request: StoreRequest): Promise<void> {
  const { service, handle } = request;
  const credential = { service, ...(handle === undefined ? {} : { handle }), ...asked(request) };
  const answer = await ports.ask('query', credential);
  switch (answer.kind) {
    case 'done':
      return;
    case 'pending':
      return waitForToken(ports, request);
    case 'none':
    case 'mismatch':
    case 'opaque':
      break;
    default:
      throw refused(answer, request);
  }
  await seeToParent(ports, request);
  if (answer.kind !== 'none') {
    await ports.say(
      `${requestName(request)} was stored with other permissions; jobs that still use them get the new ones, too`,
    );
    // The old token must not reach a job that asked for other rights; storing anew alone would leave it there for a while.
    await asExpected(ports.ask('delete', { service, ...(handle === undefined ? {} : { handle }) }), request);
  }
  await asExpected(ports.ask('add', credential, emptyBody), request);
  await waitForToken(ports, request);
}

async function seeToParent(ports: StorerPorts, request: StoreRequest): Promise<void> {
  const { service } = request;
  const answer = await ports.ask('query', { service });
  switch (answer.kind) {
    case 'done':
    case 'pending':
    case 'mismatch':
    case 'opaque':
      return;
    case 'none':
      if (!(await ports.isOwnProvider(service))) throw nothingToDeriveFrom(request);
      return storeOwn(ports, service);
    default:
      throw refused(answer, { service });
  }
}

/**
 * Of the access point's own issuer or client: what stands in the file says nothing, that it is there is the wish. JSON, so that condor_credd
 * can say whether there is a token yet.
 */
const storeOwn = (ports: StorerPorts, service: string): Promise<void> =>
  asExpected(ports.ask('add', { service }, emptyBody), { service });

async function asExpected(asking: Promise<StoreCredAnswer>, request: StoreRequest): Promise<void> {
  const answer = await asking;
  if (answer.kind !== 'done' && answer.kind !== 'pending' && answer.kind !== 'none') throw refused(answer, request);
}

/** Without a token a job that starts at once would be put on hold. */
async function waitForToken(ports: StorerPorts, request: StoreRequest): Promise<void> {
  const { service, handle } = request;
  const credential = { service, ...(handle === undefined ? {} : { handle }), ...asked(request) };
  const fileName = handle === undefined ? service : `${service}_${handle}`;
  let waited = 0;
  let reassured = false;
  for (let pause = firstLook; waited < patience; pause = millis(Math.min(pause * 2, longestPause))) {
    await ports.sleep(pause);
    waited += pause;
    if (waited >= wonderAfter && !reassured) {
      reassured = true;
      await ports.reassure(`waiting for the credmon to make a token from your credential ${requestName(request)}`);
    }
    const answer = await ports.ask('query', credential);
    // No JSON, so that it was there before: condor_credd says nothing of its token.
    if (answer.kind === 'done' || answer.kind === 'opaque') return;
    if (answer.kind !== 'pending') throw refused(answer, request);
  }
  throw new Fault(
    'target-failed',
    `your credential ${requestName(request)} is stored, but within ${patience / 1000} s the credmon made no token from it`,
    {
      hint: `submit again a little later; if that does not help, ask who runs ${ports.here.host} to look at: tokeep credmon status ${ports.here.user}/${fileName}`,
    },
  );
}

const asked = ({ scopes, audience }: StoreRequest) => ({
  ...(scopes === undefined ? {} : { scopes }),
  ...(audience === undefined ? {} : { audience }),
});

function nothingToDeriveFrom(request: StoreRequest): Fault {
  const { service, handle } = request;
  const sentence =
    handle === undefined
      ? `you have no credential ${service} at this access point`
      : `you have no credential ${service} at this access point, of which ${requestName(request)} would be a part`;
  return new Fault('credential-missing', sentence, {
    hint: [
      'log in once, then submit again; this names a page to log in at:',
      `printf 'executable = /bin/true\\nuse_oauth_services = ${service}\\nqueue\\n' | _CONDOR_SEC_CREDENTIAL_STORER= condor_submit -dry-run /dev/null -`,
      `where ${service} is of a Vault: condor_vault_storer ${service}; of a mytoken: condor_store_cred add-oauth -s ${service} -i FILE`,
    ].join('\n'),
  });
}

function refused(answer: StoreCredAnswer, request: StoreRequest): Fault {
  const what = `your credential ${requestName(request)} could not be seen to`;
  switch (answer.kind) {
    case 'not-allowed':
      return new Fault('target-refused', `${what}: condor_credd does not let you store for this user`);
    case 'misconfigured':
      return new Fault('target-refused', `${what}: condor_credd has no credential directory, or may not write there`);
    case 'unreached':
      return new Fault('target-failed', `${what}: condor_credd was not reached, or does not let you in`, {
        hint: 'condor_config_val CREDD_HOST ALLOW_WRITE; whoever looks after this access point has to see to it',
      });
    case 'failed':
      return new Fault('target-failed', `${what}: ${answer.why}`);
    default:
      return new Fault('target-failed', `${what}: somebody else changed it meanwhile`, { hint: 'submit again' });
  }
}
