import { freshDirectory, sealer } from './samples.ts';
import { storeContract } from './store-contract.ts';

const stateDir = freshDirectory();

storeContract(
  'SQLite',
  async () => ({ options: (node) => ({ stateDir, choice: { kind: 'sqlite' }, sealer, node }) }),
  async () => {},
);
