import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ClaimProfile } from '../token/profile.ts';
import { strictTrust } from '../verify/trust.ts';
import { lengthArgument } from './arguments.ts';
import type { Context } from './context.ts';
import { severalTexts } from './repeated-options.ts';
import type { Trust, TrustOptions } from './site-trust.ts';

export type { Trust, TrustOptions } from './site-trust.ts';

export function addTrustOptions(command: Command): Command {
  return command
    .option(
      '--issuer <URL>',
      'trust this issuer; may be given several times; without it any issuer is taken',
      severalTexts,
    )
    .option(
      '--audience <AUDIENCE>',
      'a name of the service, as it stands in aud; may be given several times',
      severalTexts,
    )
    .option('--jwks <FILE>', "the issuers' keys as a JWK set; no network is asked then")
    .option('--ca-file <FILE>', 'the CAs to trust when the issuer is asked for its keys, as PEM')
    .option('--key-host <HOST>', 'a host beside that of the issuer that may serve its keys', severalTexts)
    .option('--issuer-config <FILE>', 'issuers and audiences from a scitokens.cfg of XRootD, as it stands')
    .addOption(
      new Option('--profile <PROFILE>', 'take tokens of this profile; may be given several times; without it all are')
        .choices(strictTrust.profiles)
        .argParser(severalProfiles),
    )
    .option('--longest-life <LENGTH>', 'refuse tokens that live longer, such as 6h', lengthArgument);
}

function severalProfiles(text: string, before: readonly ClaimProfile[] | undefined): readonly ClaimProfile[] {
  const profile = strictTrust.profiles.find((one) => one === text);
  if (profile !== undefined) return [...(before ?? []), profile];
  throw new InvalidArgumentError(`Allowed choices are ${strictTrust.profiles.join(', ')}.`);
}

/** Reads the files that the options name. Throws `usage` and `config-invalid`; asks no network yet. */
export async function trustFrom(context: Context, options: TrustOptions): Promise<Trust> {
  const { openTrust } = await import('./open-trust.ts');
  return await openTrust(context, options);
}
