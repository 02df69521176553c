// The arrows of docs/architecture.md. A room may import the rooms named for it, and nothing else of ours.
const mayImport = {
  token: [],
  fault: ['token'],
  world: ['token', 'fault'],
  config: ['token', 'fault', 'world'],
  store: ['token', 'fault', 'world'],
  mint: ['token', 'fault', 'world', 'config', 'store'],
  verify: ['token', 'fault', 'world'],
  serve: ['token', 'fault', 'world', 'observe'],
  acquire: ['token', 'fault', 'world', 'config', 'store', 'mint'],
  issue: ['token', 'fault', 'world', 'config', 'store', 'mint', 'verify', 'serve', 'observe'],
  deliver: ['token', 'fault', 'world', 'config', 'store', 'discover'],
  discover: ['token', 'fault', 'world'],
  observe: ['token', 'fault', 'world', 'config', 'store'],
  renew: ['token', 'fault', 'world', 'config', 'store', 'mint', 'acquire', 'deliver', 'observe'],
  condor: [
    'token',
    'fault',
    'world',
    'config',
    'store',
    'mint',
    'verify',
    'acquire',
    'deliver',
    'observe',
    'renew',
    'serve',
  ],
  cli: ['[a-z]+'],
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: 'src/cli/main\\.ts$' }, to: {} },
    ...Object.entries(mayImport).map(([room, below]) => ({
      name: `${room}-arrows`,
      severity: 'error',
      from: { path: `^src/${room}/` },
      to: { path: '^src/', pathNot: `^src/(${[room, ...below].join('|')})/` },
    })),
    {
      name: 'outside-only-through-world',
      comment:
        'Files, sockets, processes and clocks are reached through world/ (store/, serve/ and cli/ hold their own adapters).',
      severity: 'error',
      from: { path: '^src/(token|fault|config|mint|verify|issue|acquire|renew|deliver|discover)/' },
      to: { path: '^(node:)?(fs|fs/promises|net|http|https|tls|child_process|dgram|dns)$' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
