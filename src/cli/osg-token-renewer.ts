import { osgPlace } from '../config/load.ts';
import { Fault } from '../fault/fault.ts';
import { endWith } from './ending.ts';
import type { CliIo } from './io.ts';
import { processIo } from './io.ts';
import { openContext } from './open-context.ts';
import { renew } from './renew-pass.ts';

const name = 'osg-token-renewer';
const plain = { json: false, quiet: false, verbose: false, color: true };

/**
 * The old name of `tokeep renew`, for OSG's own unit: takes no arguments, reads the ini file where OSG's renewer does, and
 * answers 0 or 1 only.
 */
async function osgTokenRenewer(args: readonly string[], io: CliIo): Promise<0 | 1> {
  if (args.length > 0) {
    const hint = 'its file is named by OSG_TOKEN_RENEWER_CONFIG_PATH; tokeep --help shows what else there is';
    await endWith(new Fault('usage', 'takes no arguments', { hint }), io.stderr, { verbose: false }, name);
    return 1;
  }
  const context = openContext(io, { ...plain, config: osgPlace(io) });
  try {
    return (await renew(context, [], { force: false, dryRun: false })) === 0 ? 0 : 1;
  } catch (thrown) {
    await endWith(thrown, io.stderr, { verbose: false }, name);
    return 1;
  } finally {
    await context.close();
  }
}

process.exit(await osgTokenRenewer(process.argv.slice(2), processIo()));
