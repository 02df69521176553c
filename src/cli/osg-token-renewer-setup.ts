import { processIo } from './io.ts';
import { osgSetup } from './osg-setup/setup.ts';

process.exit(await osgSetup(process.argv.slice(2), processIo()));
