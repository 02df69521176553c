import type { Command } from 'commander';
import { type CommandModule, type Runner, withExamples } from '../../command.ts';
import type { CheckOptions } from '../../issuer-check-answer.ts';
import { dirOption } from '../../issuer-options.ts';
import type { PublishOptions } from '../../issuer-publish-answer.ts';

/** The static site, and how it looks from outside. */
export const register: CommandModule['register'] = (parent, run) => {
  registerPublish(parent, run);
  registerCheck(parent, run);
};

function registerPublish(parent: Command, run: Runner): void {
  const command = parent
    .command('publish')
    .description(
      'Write the files that a web server shows: metadata, public keys, a page for people. Only what changed.',
    )
    .argument(
      '<OUTDIR>',
      "what the web server serves (it, or the directory above it, has to be there); the path of the issuer's URL is made below it",
    )
    .addOption(dirOption())
    .option('--served-at <PATH>', 'the path that OUTDIR is served at; /REPOSITORY for a project page of GitHub', '/')
    .option('--prune', 'take away the keys of others that are in the published set')
    .option('--dry-run', 'only say what would be done')
    .action(
      run(async (context, outDir: string, options: PublishOptions) => {
        const { publish } = await import('../../issuer-publish-answer.ts');
        return await publish(context, outDir, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep issuer publish /var/www/html', does: 'for nginx or Apache' },
    { line: 'tokeep issuer publish ~/our.github.io', does: 'into a checkout of GitHub Pages; commit and push it then' },
  );
}

function registerCheck(parent: Command, run: Runner): void {
  const command = parent
    .command('check')
    .description('Look at the issuer from outside, as a service does: metadata, keys, TLS, caching. Changes nothing.')
    .argument('[URL]', 'another issuer (default: the one here)')
    .addOption(dirOption())
    .option('--ca-file <FILE>', 'CAs to trust instead of those of the system')
    .action(
      run(async (context, url: string | undefined, options: CheckOptions) => {
        const { checkLive } = await import('../../issuer-check-answer.ts');
        return await checkLive(context, url, options);
      }),
    );
  withExamples(
    command,
    { line: 'tokeep issuer check', does: 'after each publish: are the keys there that sign?' },
    { line: 'tokeep issuer check https://cilogon.org', does: 'an issuer of others' },
  );
}
