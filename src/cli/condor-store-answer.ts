import { hostname, userInfo } from 'node:os';
import { requestName, storeRequestOf } from '../condor/store-request.ts';
import { type StorerPorts, seeToCredential } from '../condor/storer.ts';
import { storeCredAnswer, storeCredArgs } from '../deliver/store-cred.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';

/** What `tokeep condor store` has, which is little, so that it starts fast: condor_submit waits for it. */
export interface StoreContext {
  readonly world: Pick<World, 'clock' | 'files' | 'processes' | 'env'>;
  readonly signal?: AbortSignal;
  /** Whether stderr is a terminal. */
  readonly terminal: boolean;
  /** A line on stderr. */
  say(line: string): Promise<void>;
}

/** SEC_CREDENTIAL_STORER: sees to each service that a job needs, in turn; the first one that cannot be had ends it. */
export async function condorStore(context: StoreContext, args: readonly string[]): Promise<ExitCode> {
  // condor_submit has begun a line ("Submitting job(s)") when it starts us.
  let begun = false;
  const begin = async () => {
    if (!begun) await context.say('');
    begun = true;
  };
  try {
    const requests = args.map(storeRequestOf);
    if (context.world.env['CONDOR_CREDENTIAL_STORER_MODE'] === 'pelican') throw pelican(requests.map(requestName));
    const ports = await portsOf(context, async (sentence) => {
      await begin();
      await context.say(`tokeep: ${sentence}`);
    });
    for (const request of requests) {
      if (request.options !== undefined) {
        await ports.say(`the options of ${requestName(request)} are for htgettoken, and are not used`);
      }
      await seeToCredential(ports, request);
    }
    return exit.fine;
  } catch (thrown) {
    await begin();
    throw thrown;
  }
}

const pelican = (names: readonly string[]): Fault =>
  new Fault('usage', `${names.join(', ')} is of a Pelican federation, whose logins are not for this storer`, {
    hint: 'take the name out of PELICAN_CREDMON_PROVIDER_NAMES, or use condor_credential_storer for all services',
  });

async function portsOf({ world, signal, terminal }: StoreContext, say: StorerPorts['say']): Promise<StorerPorts> {
  const storeCred = await inPath(world, 'condor_store_cred');
  // For services that submit for others, as condor_vault_storer has them.
  const user = world.env['CONDOR_VAULT_STORER_USER'];
  const more = (world.env['SEC_CREDENTIAL_STORECRED_OPTS'] ?? '').split(/\s+/).filter((word) => word !== '');
  const run = (file: string, args: readonly string[], stdin = '') =>
    world.processes.run({
      file,
      args,
      stdin,
      env: wholeEnvironment(world.env),
      timeout: seconds(60),
      maxOutput: 1024 * 1024,
      ...(signal === undefined ? {} : { signal }),
    });
  return {
    say,
    reassure: terminal ? say : async () => {},
    here: { host: hostname(), user: (user ?? ownName()).replace(/@.*/, '') },
    sleep: (length) => world.clock.sleep(length, signal),
    async ask(action, credential, body) {
      const whose = user === undefined ? credential : { user, ...credential };
      return storeCredAnswer(await run(storeCred, [...storeCredArgs(action, whose), ...more], body));
    },
    async isOwnProvider(service) {
      const program = await inPath(world, 'condor_config_val');
      const end = await run(program, ['-dump', '-expanded', '^(LOCAL|CLIENT)_CREDMON_PROVIDER_NAMES?$']);
      const lines = end.kind === 'exited' ? end.stdout.split('\n') : [];
      const lists = lines.map((line) => /^\w+ = (.*)$/.exec(line)?.[1] ?? '');
      return lists.some((list) => list.split(/[\s,]+/).includes(service));
    },
  };
}

/** A user whom no database knows has a number only. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? '');
  }
}

/** Everything that condor_submit was started with: where its configuration is, and how it proves who the user is. */
const wholeEnvironment = (env: World['env']): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));

/**
 * Like condor_submit itself, the programs of HTCondor are taken from where the user finds them: with nobody's rights but the user's.
 */
async function inPath({ files, env }: StoreContext['world'], program: string): Promise<string> {
  const places = [...(env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/bin'];
  for (const place of places.filter((each) => each.startsWith('/'))) {
    const facts = await files.facts(`${place}/${program}`).catch(() => undefined);
    if (facts?.type === 'file' && (facts.mode & 0o111) !== 0) return `${place}/${program}`;
  }
  throw new Fault('condor-unreadable', `${program} is not among the programs of this user (PATH)`, {
    hint: "it comes with HTCondor; add the directory it is in to PATH (HTCondor's bin or sbin)",
  });
}
