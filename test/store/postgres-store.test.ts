import { type RunningPostgres, startPostgres } from '../peers/start-postgres.ts';
import { freshDirectory, sealer } from './samples.ts';
import { storeContract } from './store-contract.ts';

let postgres: RunningPostgres | undefined;
const stateDir = freshDirectory();

storeContract(
  'PostgreSQL',
  async () => {
    postgres = await startPostgres();
    const url = await postgres.database('records');
    return { options: (node) => ({ stateDir, choice: { kind: 'postgres', url }, sealer, node }) };
  },
  async () => postgres?.stop(),
);
