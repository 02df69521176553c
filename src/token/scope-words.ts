/** What a path scope of the WLCG profile 1.3 (section "Capability based authorization") or of SciTokens lets its bearer do. */
const withPath: Readonly<Record<string, string>> = {
  'storage.read': 'read files',
  'storage.create': 'create new files and directories',
  'storage.modify': 'create, overwrite, rename and delete files',
  'storage.stage': 'bring files from tape to disk, and release them',
  'storage.poll': 'ask whether files are on disk',
  read: 'read files (SciTokens)',
  write: 'write and delete files (SciTokens)',
  condor: 'use HTCondor with the rights of',
};

const alone: Readonly<Record<string, string>> = {
  'compute.read': 'see jobs',
  'compute.modify': 'change jobs',
  'compute.create': 'submit jobs',
  'compute.cancel': 'cancel jobs',
  'host.auth': 'say which host it is',
  openid: 'log in with OpenID Connect',
  profile: 'see name and profile',
  email: 'see the e-mail address',
  offline_access: 'get refresh tokens',
  wlcg: 'get tokens of the WLCG profile',
  'wlcg.groups': 'get the default groups',
};

const asked: readonly (readonly [string, string])[] = [
  ['wlcg.groups:', 'get the group'],
  ['wlcg.capabilityset:', 'get the rights of the group'],
  ['wlcg:', 'get tokens of the WLCG profile, version'],
];

/** What a scope lets its bearer do, in words; undefined for one of no profile known here. */
export function scopeInWords(scope: string): string | undefined {
  if (Object.hasOwn(alone, scope)) return alone[scope];
  for (const [start, words] of asked) {
    if (scope.startsWith(start)) return `${words} ${scope.slice(start.length)}`;
  }
  const colon = scope.indexOf(':');
  const name = colon < 0 ? scope : scope.slice(0, colon);
  const words = Object.hasOwn(withPath, name) ? withPath[name] : undefined;
  if (words === undefined) return undefined;
  if (colon < 0) return name.startsWith('storage.') ? `${words}, but where is not said` : words;
  const path = scope.slice(colon + 1);
  if (name === 'condor') return `${words} ${path.replace(/^\//, '')}`;
  return path === '/' ? `${words}, everywhere` : `${words} in ${path} and below`;
}
