import { asFault, Fault } from '../fault/fault.ts';
import { type Adoption, adoptKey } from '../mint/adopt-key.ts';
import { createIssuer } from '../mint/create-issuer.ts';
import type { IssuerDeps, OpenIssuer } from '../mint/issuer.ts';
import { openIssuer } from '../mint/open-issuer.ts';
import { refuseUnreadable } from '../mint/settings.ts';
import { settingsText } from '../mint/settings-text.ts';
import type { World } from '../world/world.ts';
import { hasSettings, localIssuerDirectory } from './local-issuer-directory.ts';
import { prepareLocalKey } from './local-issuer-key.ts';
import { localIssuerHead, localIssuerSettings, localKnob, writeLocalSettings } from './local-issuer-settings.ts';
import { announceRetired } from './retired-keys.ts';
import type { LocalProvider } from './settings.ts';

export interface LocalIssuerDeps {
  readonly world: World;
  /** TOKEEP_CREDMON_STATE. */
  readonly state: string;
  readonly sealer: IssuerDeps['sealer'];
  /** Our chain in the audit log (`IssuerDeps`); that of whoever signs with this issuer. */
  readonly chain?: string;
}

export interface LocalIssuer {
  /** As an account with the grant `signing_key` names it. */
  readonly directory: string;
  /** Sentences for an admin, such as that a key was changed. */
  readonly remarks: readonly string[];
}

/** Who it is in the audit log. */
const by = 'credmon';

/**
 * Makes an issuer of `LOCAL_CREDMON_*`, or brings the one there is to what they say now: to be called at each start and reconfig, and to
 * be called again after it was broken off. The key signs from then on. Throws Fault `config-invalid`, `secret-unreadable`,
 * `signing-key-unusable`, and what opening an issuer throws; other providers are not concerned.
 */
export async function prepareLocalIssuer(deps: LocalIssuerDeps, provider: LocalProvider): Promise<LocalIssuer> {
  try {
    return await prepare(deps, provider);
  } catch (thrown) {
    const fault = asFault(thrown, `preparing the local issuer of ${provider.provider}`);
    // There is no command line here; what does not make sense stands in HTCondor's configuration.
    if (fault.code !== 'usage') throw fault;
    const what = `the local issuer of ${provider.provider} cannot be made of LOCAL_CREDMON_*: ${fault.message}`;
    throw new Fault('config-invalid', what, fault.hint === undefined ? {} : { hint: fault.hint });
  }
}

async function prepare(deps: LocalIssuerDeps, provider: LocalProvider): Promise<LocalIssuer> {
  const { world } = deps;
  const head = localIssuerHead(provider.provider);
  // Before a key is made for it.
  refuseUnreadable(settingsText(localIssuerSettings(provider), head));
  const { pem, remarks } = await prepareLocalKey(world, provider);
  const directory = await localIssuerDirectory(world, deps.state, provider);
  const issuer = await openOrCreate(deps, directory, provider);
  try {
    const settings = localIssuerSettings(provider, issuer.settings);
    await writeLocalSettings(world, directory, { settings, head });
    const reason = `HTCondor's configuration of the local issuer ${provider.provider} names it`;
    const adoption = await adoptKey(issuer, { pem, kid: provider.keyId, by, reason });
    const announced = await announceRetired(world, issuer, provider);
    const said = [...remarks, ...adoptionRemarks(provider, adoption), announced];
    return { directory, remarks: said.filter((remark) => remark !== undefined) };
  } finally {
    await issuer.close();
  }
}

/** Takes keys that were removed by hand since (`tokeep issuer rotate --remove`) out of what is published. Throws what opening an issuer throws. */
export async function announceAnew(
  { world, sealer, chain = 'local' }: LocalIssuerDeps,
  directory: string,
  provider: LocalProvider,
): Promise<void> {
  const issuer = await openIssuer(world, directory, { sealer, chain });
  try {
    await announceRetired(world, issuer, provider);
  } finally {
    await issuer.close();
  }
}

async function openOrCreate(
  { world, sealer, chain = 'local' }: LocalIssuerDeps,
  directory: string,
  provider: LocalProvider,
): Promise<OpenIssuer> {
  const issuerDeps = { sealer, chain };
  if (await hasSettings(world, directory)) return await openIssuer(world, directory, issuerDeps);
  const head = localIssuerHead(provider.provider);
  return await createIssuer(
    world,
    directory,
    { ...localIssuerSettings(provider), algorithm: 'none', head, by },
    issuerDeps,
  );
}

function adoptionRemarks(provider: LocalProvider, adoption: Adoption): readonly string[] {
  if (adoption.kind === 'unchanged') return [];
  const { keyId, issuer } = provider;
  if (adoption.replaced) {
    return [
      `another key signs as ${keyId} now: tokens that the one before signed are refused, and services that keep its public key refuse new ones; a new ${localKnob(provider, 'KEY_ID')} avoids that`,
    ];
  }
  if (adoption.retired === undefined) return [];
  return [
    `the key ${keyId} signs now in place of ${adoption.retired}: both have to be among the keys that ${issuer} publishes until the last token of ${adoption.retired} has ended`,
  ];
}
