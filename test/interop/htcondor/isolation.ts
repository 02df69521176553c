import { missingPrograms } from '../packages.ts';
import { ran } from '../run-program.ts';

/** What has to be here, and the package of Debian that brings it. */
const programs = {
  debootstrap: 'debootstrap',
  chromium: 'chromium',
  openssl: 'openssl',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  ip: 'iproute2',
  ps: 'procps',
} as const;

export const missingHere = (): readonly string[] => missingPrograms(programs);

/**
 * Mounts and processes of their own: what debootstrap or the pool mount and start is gone with the first process inside, which is
 * killed when whoever started it is gone. The root's /proc is of these processes; nothing else is mounted into it.
 */
const namespaces = ['unshare', '--mount', '--propagation=private', '--pid', '--fork', '--kill-child=KILL'];
const mortal = ['setpriv', '--pdeathsig=KILL'];

/** The pool has a network, too, with loopback only, so that its ports are free and nobody gets in; and a host name to count on. */
const apart = ['--net', '--uts'];
const setUp = {
  build: 'mount -t proc proc /proc',
  pool: `hostname ap.testpool.local && ip link set lo up && mount -t proc proc /proc && mount -t proc proc "$0/proc"`,
};

export const isolated = {
  /** `build` keeps the network, `pool` has one of its own. The shell stays the first process: it takes in what daemons leave behind. */
  command(purpose: 'build' | 'pool', root: string, command: readonly string[]): readonly string[] {
    const script = `PATH=$PATH:/usr/sbin:/sbin; ${setUp[purpose]} || exit 125; "$@"; exit $?`;
    return [...mortal, ...namespaces, ...(purpose === 'pool' ? apart : []), '/bin/sh', '-c', script, root, ...command];
  },
  /** Why this machine does not allow it; a plain container does not. */
  async whyNot(): Promise<string | undefined> {
    const probe = [
      ...mortal,
      ...namespaces,
      ...apart,
      '/bin/sh',
      '-c',
      'PATH=$PATH:/usr/sbin:/sbin; ip link set lo up && mount -t proc proc /proc',
    ];
    const { status, stderr } = await ran(probe);
    return status === 0 ? undefined : `namespaces are not allowed here (${stderr.trim().split('\n')[0] ?? ''})`;
  },
};
