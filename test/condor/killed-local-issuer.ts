import { prepareLocalIssuer } from '../../src/condor/local-issuer.ts';
import { type FaultyCall, faultyFiles } from '../../src/world/faulty-files.ts';
import { depsOf, providerIn } from './local-bed.ts';

/** Prepares a local issuer and is killed before one call of the file system; says `done` if there was none to be killed at. */
const [place = '', op = '', nth = ''] = process.argv.slice(2);
const deps = depsOf(place);
const kill = () => void process.kill(process.pid, 'SIGKILL');
const files = faultyFiles(deps.world.files, [{ op: op as FaultyCall, nth: Number(nth), meanwhile: kill }]);
await prepareLocalIssuer({ ...deps, world: { ...deps.world, files } }, providerIn(place));
process.stdout.write('done');
