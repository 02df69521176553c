import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** The library, and one chunk per command, so that each start reads only what it needs. Native and optional parts stay outside. */
export default defineConfig({
  input: {
    index: 'src/index.ts',
    verify: 'src/verify/index.ts',
    issue: 'src/issue/index.ts',
    main: 'src/cli/main.ts',
    'osg-token-renewer': 'src/cli/osg-token-renewer.ts',
    'osg-token-renewer-setup': 'src/cli/osg-token-renewer-setup.ts',
    'tokeep-credential-storer': 'src/cli/tokeep-credential-storer.ts',
    'tokeep-credmon': 'src/cli/tokeep-credmon.ts',
    'tokeep-map-plugin': 'src/cli/tokeep-map-plugin.ts',
    'tokeep-network': 'src/cli/tokeep-network.ts',
  },
  platform: 'node',
  external: ['koffi', 'pg-native', 'pg-cloudflare'],
  output: {
    dir: 'dist',
    format: 'esm',
    cleanDir: true,
    minify: 'dce-only',
    chunkFileNames: 'chunk/[name]-[hash].js',
    banner: `/*! tokeep ${version}, Apache-2.0; with parts of other packages under their own licences, named in docs/dependencies.md */`,
  },
});
