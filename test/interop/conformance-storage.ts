import { type Action, storageActions } from '../../src/verify/access.ts';
import type { GroupRule } from '../../src/verify/areas.ts';
import { scitokensCfg } from './scitokens-cfg.ts';

/** The storage area the suite works in. */
export const storageArea = '/wlcg';

/** What the storage of the suite knows of tokens, for XRootD and for `can`. */
export const conformanceCfg = (audience: string, issuer: string): string =>
  scitokensCfg({ audience, issuer, basePath: storageArea, onmissing: 'passthrough' });

/**
 * The suite's rules for groups, as XRootD's authdb has them: everybody of the collaboration may read, and write where the suite
 * works; below /protected only the group wlcg/test may write. One line for each group, the deepest path first.
 */
export const authdb = `g /wlcg ${storageArea}/wlcg-jwt-compliance a ${storageArea} rl
g /wlcg/test ${storageArea}/protected a
`;

const everything: readonly Action[] = storageActions;

/** The same rules for `can`, whose paths start at base_path. */
export const groupRules: readonly GroupRule[] = [
  { group: '/wlcg', actions: everything, path: '/wlcg-jwt-compliance' },
  { group: '/wlcg', actions: ['read', 'poll'], path: '/' },
  { group: '/wlcg/test', actions: everything, path: '/protected' },
];
