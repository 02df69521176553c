import { isFit } from './credential-name.ts';
import type { KnobReader } from './knob-reader.ts';
import type { CredmonSettings, ProviderKind } from './settings.ts';

type TopLook = Parameters<CredmonSettings['kindOf']>[1];

/** Which names stand in which list, as condor_credd reads them. */
export interface ProviderLists {
  readonly local: ReadonlySet<string>;
  /** Whether somebody wrote the names of local providers down; if not, it is `scitokens` alone. */
  readonly localIsNamed: boolean;
  readonly client: ReadonlySet<string>;
  readonly mytoken: ReadonlySet<string>;
  /** Without `*`, which stands in `oauth2Rest` and `vaultRest`: these take what no list names. */
  readonly oauth2: ReadonlySet<string>;
  readonly oauth2Rest: boolean;
  readonly vault: ReadonlySet<string>;
  readonly vaultRest: boolean;
  /** Whether there is reason to believe that vault is in use here: condor_credd then counts on it for what no list names. */
  readonly vaultExpected: boolean;
  /** Whether somebody means to use a Vault: its names are written down, or the storer is one that logs in there. */
  readonly vaultMeant: boolean;
  readonly pelican: ReadonlySet<string>;
}

/** HTCondor's own ones; ours needs no Vault. */
const vaultStorer = /(^|\/)condor_(vault|credential)_storer(\s|$)/;

const plainName = /^[A-Za-z0-9-]+$/;

/** The lists of names. Names that no file of the directory can have are findings, and so are names that stand in two lists. */
export function providerLists(reader: KnobReader, { specialNames }: { readonly specialNames: boolean }): ProviderLists {
  const named = (knob: string): readonly string[] => {
    const words = reader.list(knob);
    const fits = specialNames ? isFit : (word: string) => plainName.test(word);
    const rule = specialNames
      ? 'a name has letters, digits and - + = _ . only'
      : 'without CREDMON_ALLOW_SPECIAL_CHAR_NAMES a name has letters, digits and - only';
    const unfit = words.filter((word) => word !== '*' && !fits(word));
    for (const word of unfit) reader.error(knob, `${knob} names "${word}"; ${rule}`);
    return words.filter((word) => !unfit.includes(word));
  };
  const ofLocal = named('LOCAL_CREDMON_PROVIDER_NAMES');
  const olderLocal = ofLocal.length === 0 ? named('LOCAL_CREDMON_PROVIDER_NAME') : [];
  const local = [...ofLocal, ...olderLocal];
  const oauth2 = named('OAUTH2_CREDMON_PROVIDER_NAMES');
  const vault = named('VAULT_CREDMON_PROVIDER_NAMES');
  const lists: ProviderLists = {
    local: namesIn(local.length === 0 ? ['scitokens'] : local),
    localIsNamed: local.length > 0,
    client: namesIn(named('CLIENT_CREDMON_PROVIDER_NAMES')),
    mytoken: namesIn(named('MYTOKEN_CREDMON_PROVIDER_NAMES')),
    oauth2: namesIn(oauth2),
    oauth2Rest: oauth2.length === 0 || oauth2.includes('*'),
    vault: namesIn(vault),
    vaultRest: vault.length === 0 || vault.includes('*'),
    vaultExpected: vault.length > 0 || reader.isSet('SEC_CREDENTIAL_STORER'),
    vaultMeant: vault.length > 0 || vaultStorer.test(reader.text('SEC_CREDENTIAL_STORER') ?? ''),
    pelican: namesIn(named('PELICAN_CREDMON_PROVIDER_NAMES')),
  };
  tellOverlaps(reader, lists);
  return lists;
}

const namesIn = (words: readonly string[]): ReadonlySet<string> => new Set(words.filter((word) => word !== '*'));

/** MYTOKEN_CREDMON_PROVIDER_NAMES may repeat OAUTH2's and VAULT's: condor_credd knows no mytokens, and stores a `.top` only for names of theirs. */
function tellOverlaps(reader: KnobReader, lists: ProviderLists): void {
  const inOrder = [
    ['LOCAL_CREDMON_PROVIDER_NAMES', lists.local],
    ['CLIENT_CREDMON_PROVIDER_NAMES', lists.client],
    ['OAUTH2_CREDMON_PROVIDER_NAMES', lists.oauth2],
    ['VAULT_CREDMON_PROVIDER_NAMES', lists.vault],
    ['PELICAN_CREDMON_PROVIDER_NAMES', lists.pelican],
  ] as const;
  const owner = new Map<string, string>();
  for (const [knob, names] of inOrder) {
    for (const name of names) {
      const first = owner.get(name);
      if (first === undefined) owner.set(name, knob);
      else reader.warn(knob, `${knob} names "${name}", which ${first} has already; ${first} counts`);
    }
  }
}

/**
 * Whose a name is: the lists in the order in which condor_credd goes through them, then whoever takes the rest. Undefined: not ours
 * (Pelican's, or nobody's). Of a name that no list has, the `.top` says first what it is, since it can be used in one way only.
 */
export function providerKind(
  lists: ProviderLists,
  provider: string,
  { hasClient, top }: { readonly hasClient: boolean; readonly top: TopLook },
): ProviderKind | undefined {
  const byDefault = !lists.localIsNamed && hasClient && top === 'oauth2';
  if (lists.local.has(provider) && !byDefault) return 'local';
  if (lists.client.has(provider)) return 'client';
  // Before the lists of condor_credd's own kinds: see tellOverlaps.
  if (lists.mytoken.has(provider)) return 'mytoken';
  if (lists.oauth2.has(provider)) return 'oauth2';
  if (lists.vault.has(provider)) return 'vault';
  if (lists.pelican.has(provider)) return undefined;
  if (top === 'mytoken') return lists.oauth2Rest || lists.vaultRest ? 'mytoken' : undefined;
  if (top === 'vault' && lists.vaultRest) return 'vault';
  if (lists.oauth2Rest && (hasClient || top === 'oauth2')) return 'oauth2';
  if (lists.vaultRest && lists.vaultExpected && !hasClient) return 'vault';
  return undefined;
}
