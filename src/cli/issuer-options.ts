import { type Command, Option } from 'commander';
import { severalTexts, severalWords } from './repeated-options.ts';

/** The option that every verb of `tokeep issuer` takes. */
export const dirOption = (): Option =>
  new Option('--dir <DIR>', "the issuer's directory (default: issuers/default of the state directory)");

/** What is said of a new issuer. */
export function withNewIssuerOptions(command: Command): Command {
  return command
    .option('--issuer <URL>', 'the exact name of a new issuer, an https URL, below which its keys will be published')
    .addOption(
      new Option('--profile <PROFILE>', 'by whose rules tokens are made')
        .choices(['wlcg', 'scitokens', 'at+jwt'])
        .default('wlcg'),
    )
    .addOption(
      new Option('--keys <HOME>', 'where private keys go: sealed into the database, or to files that only you can read')
        .choices(['sealed', 'file'])
        .default('sealed'),
    )
    .option(
      '--scope <SCOPES>',
      'scopes that may be signed, and all below their paths (default: those to submit jobs with); repeatable',
      severalWords,
    )
    .option(
      '--audience <AUDIENCE>',
      'services that tokens may be for; * stands for any text without a slash; repeatable',
      severalWords,
    )
    .option(
      '--subject <SUBJECT>',
      'who tokens may be about; * stands for any text (default: *); repeatable',
      severalTexts,
    )
    .option('--group <GROUP>', 'groups that may be signed (default: none); repeatable', severalWords);
}
