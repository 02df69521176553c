import { join } from 'node:path';
import { administrators, systemList } from './packages.ts';
import { outputOf, ran } from './run-program.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * How the run is kept from the rest of the machine, and how libscitokens 0.7.3 is made to trust a CA (it looks at none of the usual
 * variables). `namespaces`: a network with loopback only, and the CA over the system's own list, both gone with the last process.
 * `preload`: a small library in front of libcurl and bind(2).
 */
export type Confinement = 'namespaces' | 'preload';

const script = [
  `PATH=$PATH:${administrators.join(':')}`,
  'ip link set lo up && mount --bind "$0" "$1" && shift && exec "$@"',
].join('; ');
const root = process.geteuid?.() === 0;

/** Root needs no user namespace, and keeps the right to hand processes to other users. Others stay who they are, and may do all inside. */
const unshare = ['unshare', ...(root ? [] : ['--map-current-user', '--keep-caps']), '--net', '--mount'];

const inNamespaces = (caFile: string, command: readonly string[]): readonly string[] => [
  ...unshare,
  ...['/bin/sh', '-c', script, caFile, systemList],
  ...command,
];

/** `preload` if asked for, or where namespaces are not allowed. */
export async function confinementHere(): Promise<Confinement> {
  if (process.env['TOKEEP_INTEROP_CONFINEMENT'] === 'preload') return 'preload';
  const { status } = await ran(inNamespaces(systemList, ['true']));
  return status === 0 ? 'namespaces' : 'preload';
}

/** The command, confined. */
export function confined(how: Confinement, caFile: string, command: readonly string[]): readonly string[] {
  return how === 'namespaces' ? inNamespaces(caFile, command) : command;
}

type Means = Pick<Surroundings, 'unprivileged' | 'serviceUser' | 'environment'>;

/** With what servers and tools are started inside. Compiles the library to be preloaded, where it is needed. */
export async function means(how: Confinement, directory: string, caFile: string): Promise<Means> {
  const environment = how === 'preload' ? { LD_PRELOAD: await compiled(directory), INTEROP_CA_FILE: caFile } : {};
  // Whatever becomes of the test that started it: a server ends with that.
  const mortal = ['setpriv', '--pdeathsig=TERM'];
  if (root) {
    const id = async (flag: string) => Number(await outputOf(['id', flag, 'xrootd']));
    const serviceUser = { uid: await id('-u'), gid: await id('-g') };
    const to = [`--reuid=${serviceUser.uid}`, `--regid=${serviceUser.gid}`, '--clear-groups'];
    return { unprivileged: [...mortal, ...to], serviceUser, environment };
  }
  return { unprivileged: mortal, environment };
}

async function compiled(directory: string): Promise<string> {
  const library = join(directory, 'loopback-only.so');
  const source = join(import.meta.dirname, 'loopback-only.c');
  await outputOf(['gcc', '-O1', '-Wall', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl']);
  return library;
}
