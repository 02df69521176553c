import type { ConfigFinding } from '../config/config.ts';
import { Findings, formatFinding } from '../config/finding.ts';
import { checkPart } from '../config/yaml-issues.ts';
import { YamlSource } from '../config/yaml-source.ts';
import { Fault } from '../fault/fault.ts';
import { lifetimeTable } from '../token/lifetimes.ts';
import type { IssuerUrl } from '../token/names.ts';
import { hours } from '../token/time.ts';
import type { World } from '../world/world.ts';
import type { IssuerSettings, RotationTimes } from './issuer.ts';
import type { IssuerPolicy } from './policy.ts';
import { type SettingsInput, settingsSchema } from './settings-schema.ts';

const largest = 4 * 1024 * 1024;

export const settingsFile = (directory: string): string => `${directory}/issuer.yaml`;

/** WLCG profile 1.3, "Token lifetime guidance": keys are announced for as long as a verifier may keep what it has fetched. */
export const defaultRotation: RotationTimes = {
  ahead: lifetimeTable.keyCacheExpiry.recommended,
  behind: hours(1),
  life: lifetimeTable.signingKey.recommended,
};

/** Reads issuer.yaml. Throws Fault `issuer-missing`, and `config-invalid` with every finding, each with its line and column. */
export async function readSettings(world: World, directory: string): Promise<IssuerSettings> {
  const file = settingsFile(directory);
  const { input, errors } = parse(file, await textOf(world, file, directory));
  if (input === undefined || errors.length > 0) throw unreadable(file, errors);
  return settingsOf(input);
}

/** Before a new issuer.yaml is written: would it read again? Throws Fault `usage` with all that would stop it. */
export function refuseUnreadable(text: string): void {
  const { input, errors } = parse('issuer.yaml', text);
  if (input !== undefined && errors.length === 0) return;
  throw new Fault('usage', errors.map(({ message }) => message).join('; '), {
    hint: 'nothing was made; these are names of issuer.yaml, where it would be written to',
  });
}

function parse(
  file: string,
  text: string,
): { readonly input: SettingsInput | undefined; readonly errors: readonly ConfigFinding[] } {
  const findings = new Findings();
  const source = YamlSource.parse(file, text, findings);
  const input = source === undefined ? undefined : checkPart(settingsSchema, source, [], source.data ?? {}, findings);
  return { input, errors: findings.list().filter(({ severity }) => severity === 'error') };
}

async function textOf(world: World, file: string, directory: string): Promise<string> {
  let text: string | undefined;
  try {
    text = await world.files.readText(file, largest);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Fault('issuer-missing', `the settings ${file} could not be read (${code})`, { cause: thrown });
  }
  if (text !== undefined) return text;
  throw new Fault('issuer-missing', `there is no issuer in ${directory}: it has no issuer.yaml`, {
    hint: 'make one with `tokeep issuer init --issuer URL`, or name its directory with --dir DIR',
  });
}

function unreadable(file: string, errors: readonly ConfigFinding[]): Fault {
  const all = errors.map(formatFinding);
  return new Fault('config-invalid', all.length === 0 ? `${file} does not read` : all.join('; '), {
    hint: 'nothing is signed until issuer.yaml reads again',
  });
}

function settingsOf(input: SettingsInput): IssuerSettings {
  const postgres = input.store?.postgres;
  const { ahead, behind, life } = input.rotation ?? {};
  const { htcondor } = input;
  return {
    url: input.issuer as IssuerUrl,
    profile: input.profile ?? 'wlcg',
    policy: { ...policyOf(input.policy), ...(htcondor === undefined ? {} : { audiencesToTheLetter: true }) },
    audit: { subjects: input.audit?.subjects ?? 'plain' },
    keys: input.keys ?? 'sealed',
    rotation: {
      ahead: ahead ?? defaultRotation.ahead,
      behind: behind ?? defaultRotation.behind,
      life: life ?? defaultRotation.life,
    },
    store:
      postgres === undefined
        ? { kind: 'sqlite' }
        : {
            kind: 'postgres',
            url: postgres.url,
            ...(postgres.ca_file === undefined ? {} : { caFile: postgres.ca_file }),
          },
    ...(htcondor === undefined ? {} : { htcondor: htcondor.ver === undefined ? {} : { ver: htcondor.ver } }),
  };
}

function policyOf(input: SettingsInput['policy']): IssuerPolicy {
  const most = input?.lifetime?.most ?? lifetimeTable.accessToken.most;
  const usual = input?.lifetime?.usual ?? lifetimeTable.accessToken.recommended;
  return {
    scopes: input?.scopes ?? [],
    audiences: input?.audiences ?? [],
    everyone: input?.everyone ?? false,
    subjects: input?.subjects ?? [],
    groups: input?.groups ?? [],
    claims: input?.claims ?? [],
    lifetime: { usual: usual > most ? most : usual, most },
    suspended: input?.suspend ?? [],
  };
}
