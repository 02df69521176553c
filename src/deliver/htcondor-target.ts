import type { HtcondorTarget } from '../config/config.ts';
import { Fault } from '../fault/fault.ts';
import type { TokenFacts } from '../store/records.ts';
import type { AccessToken } from '../token/secret.ts';
import { between } from '../token/time.ts';
import { endOfTrusted } from '../world/trusted-command.ts';
import type { World } from '../world/world.ts';
import type { Deliverer } from './deliverer.ts';
import { asTargetFault } from './exec-target.ts';
import { type StoreCredAnswer, type StoredCredential, storeCredAnswer, storeCredArgs } from './store-cred.ts';

/** Where the packages of HTCondor have it: Debian, and those of HTCondor itself. */
const usualPrograms = ['/usr/sbin/condor_store_cred', '/usr/bin/condor_store_cred'] as const;

/** What condor_credd takes for a part of a file name. */
const fit = /^[A-Za-z0-9\-+=_.]{1,200}$/;

/**
 * Pushes a token for a user of HTCondor into the access point, as an account of CRED_SUPER_USERS. On its standard input, as JSON, which
 * both kinds of HTCondor hand on to jobs: one that knows access tokens (`-P`, since 24.7.3) stores it for them, an older one stores it
 * as what tokens are made from, and our credmon hands it on from there.
 */
export const htcondorDeliverer: Deliverer<HtcondorTarget> = {
  kind: 'htcondor',
  async deliver(target, token, world, facts) {
    const push = pushOf(target);
    const program = await programOf(target, world);
    const plain = await takesAccessTokens(world, program, target);
    const args = [...storeCredArgs('add', push), ...(plain ? ['-P'] : [])];
    const refusal = refusalOf(await ask(world, target, [program, ...args], bodyOf(token, world, facts)));
    if (refusal === undefined) return;
    // HTCondor may be another one than it was.
    flavours.get(world)?.delete(program);
    throw faultOf(refusal, target);
  },
  // Asking costs a process for each token, and would take the mark off a user who has no jobs any more, each minute.
  check: async () => 'unknown',
  async withdraw(target, world) {
    const program = await programOf(target, world);
    const refusal = refusalOf(await ask(world, target, [program, ...storeCredArgs('delete', pushOf(target))]));
    if (refusal !== undefined && refusal.kind !== 'none') throw faultOf(refusal, target);
  },
};

function pushOf({ user, service, handle }: HtcondorTarget): StoredCredential {
  const [name = '', domain = 'localhost'] = user.split('@');
  for (const [what, part] of [['user', name] as const, ['service', service] as const, ['handle', handle] as const]) {
    if (part === undefined || (fit.test(part) && part !== '.' && part !== '..')) continue;
    throw new Fault('target-refused', `the ${what} ${JSON.stringify(part)} is no name that condor_credd takes`, {
      hint: 'letters, digits and - + = _ . are fine',
    });
  }
  // condor_credd wants a domain and does not look at it: users of two domains with one name are one user to it.
  return { user: `${name}@${domain}`, service, ...(handle === undefined ? {} : { handle }) };
}

/** What `.use` files of HTCondor's own credmons hold, too. */
function bodyOf(token: AccessToken, world: World, facts: TokenFacts | undefined): string {
  const life = facts && {
    expires_in: Math.max(0, Math.floor(between(world.clock.now(), facts.expiresAt) / 1000)),
    expires_at: Math.floor(facts.expiresAt / 1000),
  };
  return `${JSON.stringify({ access_token: token.reveal(), token_type: 'bearer', ...life })}\n`;
}

async function programOf({ program }: HtcondorTarget, world: World): Promise<string> {
  if (program !== undefined) return program;
  for (const usual of usualPrograms) if ((await world.files.look(usual)) !== undefined) return usual;
  throw new Fault('target-refused', `condor_store_cred is neither ${usualPrograms.join(' nor ')}`, {
    hint: 'install HTCondor here, or say where it is: program: /opt/condor/bin/condor_store_cred',
  });
}

/** Learnt once from its help; a failed push forgets it. */
const flavours = new WeakMap<World, Map<string, Promise<boolean>>>();

async function takesAccessTokens(world: World, program: string, target: HtcondorTarget): Promise<boolean> {
  const known = flavours.get(world) ?? new Map<string, Promise<boolean>>();
  flavours.set(world, known);
  const asked = known.get(program) ?? helpNames(world, program, target);
  known.set(program, asked);
  try {
    return await asked;
  } catch (thrown) {
    known.delete(program);
    throw thrown;
  }
}

async function helpNames(world: World, program: string, target: HtcondorTarget): Promise<boolean> {
  const end = await run(world, target, [program, '-h']);
  return end.kind === 'exited' && /^\s+-P\b/m.test(`${end.stdout}\n${end.stderr}`);
}

const ask = async (world: World, target: HtcondorTarget, argv: readonly string[], stdin?: string) =>
  storeCredAnswer(await run(world, target, argv, stdin));

async function run(
  world: World,
  { credd, condorConfig, timeout }: HtcondorTarget,
  argv: readonly string[],
  stdin = '',
) {
  const env = {
    ...(credd === undefined ? {} : { _CONDOR_CREDD_HOST: credd }),
    ...(condorConfig === undefined ? {} : { CONDOR_CONFIG: condorConfig }),
  };
  try {
    return await endOfTrusted(world, { argv, stdin, timeout, env });
  } catch (thrown) {
    throw asTargetFault(thrown, argv[0]);
  }
}

type Refusal = Exclude<StoreCredAnswer, { readonly kind: 'done' | 'pending' }>;

const refusalOf = (answer: StoreCredAnswer): Refusal | undefined =>
  answer.kind === 'done' || answer.kind === 'pending' ? undefined : answer;

function faultOf(answer: Refusal, target: HtcondorTarget): Fault {
  const { code, why, hint } = reasonOf(answer, target);
  const { user, service, handle } = target;
  const name = handle === undefined ? service : `${service}*${handle}`;
  return new Fault(code, `the token of ${user} for ${name} was not stored: ${why}`, hint === undefined ? {} : { hint });
}

interface Reason {
  readonly code: 'target-refused' | 'target-failed';
  readonly why: string;
  readonly hint?: string;
}

function reasonOf(answer: Refusal, { credd }: HtcondorTarget): Reason {
  const where = credd === undefined ? 'condor_credd' : `condor_credd of ${credd}`;
  switch (answer.kind) {
    case 'not-allowed':
      return {
        code: 'target-refused',
        why: `${where} does not let us store for other users`,
        hint: 'add the user that tokeep is to HTCondor to CRED_SUPER_USERS at the access point, then run condor_reconfig',
      };
    case 'misconfigured':
      return {
        code: 'target-refused',
        why: `${where} has no credential directory, or may not write there`,
        hint: 'see SEC_CREDENTIAL_DIRECTORY_OAUTH there, which `use feature : OAUTH` sets',
      };
    case 'unreached':
      return {
        code: 'target-failed',
        why: `${where} was not reached, or does not let us in`,
        hint: 'is condor_credd running, and does ALLOW_WRITE there include the user that tokeep is to HTCondor?',
      };
    case 'failed':
      return { code: 'target-failed', why: answer.why };
    case 'opaque':
    case 'mismatch':
    case 'none':
      return { code: 'target-failed', why: `${where} answered what it never does here (${answer.kind})` };
  }
}
