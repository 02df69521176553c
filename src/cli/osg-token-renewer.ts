import { endWith } from './ending.ts';
import type { CliIo } from './io.ts';
import { processIo } from './io.ts';
import { openContext } from './open-context.ts';
import { renew } from './renew-pass.ts';

const osgPlace = '/etc/osg/token-renewer/config.ini';
const plain = { json: false, quiet: false, verbose: false, color: true };

/**
 * The old name of `tokeep renew`, for OSG's own unit: takes no arguments, reads the ini file where OSG's renewer does, and
 * answers 0 or 1 only.
 */
async function osgTokenRenewer(io: CliIo): Promise<0 | 1> {
  const context = openContext(io, { ...plain, config: io.env['OSG_TOKEN_RENEWER_CONFIG_PATH'] || osgPlace });
  try {
    return (await renew(context, [], { force: false, dryRun: false })) === 0 ? 0 : 1;
  } catch (thrown) {
    await endWith(thrown, io.stderr, false, 'osg-token-renewer');
    return 1;
  } finally {
    await context.close();
  }
}

process.exit(await osgTokenRenewer(processIo()));
