import { type CommandModule, withExamples } from '../command.ts';
import type { MapOptions } from '../map-answer.ts';
import { severalTexts } from '../repeated-options.ts';
import { addTokenOptions, refuseWords, whereTokensComeFrom } from '../token-options.ts';
import { addTrustOptions } from '../trust-options.ts';

export const register: CommandModule['register'] = (parent, run) => {
  const command = parent
    .command('map')
    .description(
      'Say which local user the bearer of a token is, and by which line: by the mapfiles of an HTCondor-CE, by a name_mapfile of ' +
        `XRootD, or by rules of our own. The token is verified first, and taken ${whereTokensComeFrom}. ` +
        'The user is printed, the sentence goes to stderr; the exit code is 0 or 6, and 4 where the keys of the issuer could not be had.',
    )
    .usage('[options]')
    .argument('[NOTHING...]', 'a token is not taken from the command line, where others see it')
    .option(
      '--mapfile <PATH>',
      'a mapfile of HTCondor-CE, or a directory of them; may be given several times',
      severalTexts,
    )
    .option('--rules <FILE>', 'rules by group and scope (YAML, or JSON where the name ends in .json)')
    .option('--name-mapfile <FILE>', "a name_mapfile of XRootD; with --issuer-config, its issuer's own is taken")
    .option('--path <PATH>', 'where the bearer wants to work, for name_mapfile (default: the base path)')
    .option('--base-path <PATH>', 'the base_path of the issuer, for --name-mapfile (default: /)', severalTexts)
    .option('--release <VERSION>', 'of XRootD, for name_mapfile: before 5.9.3 a rule for /data holds for /database too')
    .option('--principal <ISSUER,SUBJECT>', 'no token: what would become of this name (for --mapfile)')
    .option('--unverified', 'take the claims of the token as they are, which says nothing of who brings it')
    .option('--plugin', 'run as a mapping plugin of HTCondor, which has verified the token and hands over its claims')
    .action(
      run(async (context, words: readonly string[], options: MapOptions) => {
        refuseWords(words, 'map');
        const { map } = await import('../map-answer.ts');
        return await map(context, options);
      }),
    );
  addTrustOptions(addTokenOptions(command));
  withExamples(
    command,
    {
      line: 'tokeep map --mapfile /etc/condor-ce/condor_mapfile --audience ce.example:9619 --token-file pilot.token',
      does: 'as this CE would',
    },
    {
      line: 'tokeep map --mapfile /etc/condor-ce/mapfiles.d --principal https://vo.example,pilot-7',
      does: 'which line decides, without a token',
    },
    {
      line: 'tokeep map --issuer-config /etc/xrootd/scitokens.cfg --path /data/home/bob',
      does: 'as this XRootD would, with the name_mapfile of its configuration',
    },
    { line: 'tokeep map --rules map-rules.yaml --issuer https://vo.example', does: 'by rules of our own' },
    {
      line: 'tokeep map --plugin --rules map-rules.yaml < claims.json',
      does: 'what HTCondor would be told; for it, tokeep-map-plugin is the same and starts faster',
    },
  );
};
