import { accessSync, constants, existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ran } from './run-program.ts';

/** What has to be there, and the package of Debian that brings it. */
const programs = {
  xrootd: 'xrootd-server',
  xrdcp: 'xrootd-client',
  'davix-get': 'davix',
  'scitokens-verify': 'scitokens-cpp',
  'scitokens-create': 'scitokens-cpp',
  curl: 'curl',
  openssl: 'openssl',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  ip: 'iproute2',
} as const;

/** Plugins, by what their files are called whatever the release. */
const plugins = {
  libXrdSecztn: 'xrootd-plugins',
  libXrdHttp: 'xrootd-server-plugins',
  libXrdAccSciTokens: 'xrootd-scitokens-plugins',
} as const;

/** Where administrators' programs lie; not everybody's PATH has them. */
export const administrators = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
const searched = [...(process.env['PATH'] ?? '').split(delimiter), ...administrators];

function programAt(name: string): string | undefined {
  return searched.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const pluginIsThere = (name: string): boolean => globSync(`/usr/{lib,lib64,lib/*}/${name}-*.so`).length > 0;

/** Debian's list of CAs; the run's own CA takes its place for as long as the run lasts. */
export const systemList = '/etc/ssl/certs/ca-certificates.crt';

/** The packages of those programs that are not here; the table says which package brings which. */
export const missingPrograms = (table: Readonly<Record<string, string>>): readonly string[] => [
  ...new Set(
    Object.entries(table)
      .filter(([name]) => programAt(name) === undefined)
      .map(([, name]) => name),
  ),
];

/** The packages of Debian that are missing; none when everything is there. */
export function missingPackages(): readonly string[] {
  const missing = [
    ...missingPrograms(programs),
    ...Object.entries(plugins)
      .filter(([name]) => !pluginIsThere(name))
      .map(([, name]): string => name),
  ];
  if (!existsSync(systemList)) missing.push('ca-certificates');
  return [...new Set(missing)];
}

/** Likewise of what compiles the library that is preloaded where namespaces are not allowed. */
export const missingCompiler = (): readonly string[] => (programAt('gcc') === undefined ? ['gcc', 'libc6-dev'] : []);

/** Whether packages may be installed here: as root, on Debian or the like. */
export const mayInstall = (): boolean => process.geteuid?.() === 0 && programAt('apt-get') !== undefined;

/** Installs packages without a question; answers with what apt-get said if it could not. */
export async function install(packages: readonly string[]): Promise<{ readonly kind: 'installed' } | Failed> {
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const { status, stderr } = await ran(['apt-get', ...args], { DEBIAN_FRONTEND: 'noninteractive' });
    const lines = stderr.trim().split('\n');
    const said = lines.find((line) => line.startsWith('E:')) ?? lines[0];
    if (status !== 0) return { kind: 'failed', why: `apt-get ${args[0]}: ${said}` };
  }
  return { kind: 'installed' };
}

interface Failed {
  readonly kind: 'failed';
  readonly why: string;
}

/** The release of XRootD that is installed, such as `5.5.3`. */
export async function xrootdRelease(): Promise<string> {
  const { stdout, stderr } = await ran(['xrootd', '-v']);
  return /v?(\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1] ?? 'unknown';
}

/** The release of libscitokens, as Debian's package manager knows it. */
export async function libscitokensRelease(): Promise<string> {
  if (programAt('dpkg-query') === undefined) return 'unknown';
  const { stdout } = await ran(['dpkg-query', '-W', 'scitokens-cpp']);
  return /\t([\d.]+)/.exec(stdout)?.[1] ?? 'unknown';
}
