import { unfitIssuer } from '../config/safe-url.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { createIssuer } from '../mint/create-issuer.ts';
import type { IssuerSettings } from '../mint/issuer.ts';
import type { IssueProfile, IssuerPolicy } from '../mint/policy.ts';
import { settingsFile } from '../mint/settings.ts';
import type { NewSettings } from '../mint/settings-text.ts';
import type { SigningAlgorithm } from '../mint/signing-key.ts';
import { lifetimeTable } from '../token/lifetimes.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { Context } from './context.ts';
import { issuerPlace, whoAsks } from './issuer-place.ts';

export interface InitOptions {
  readonly dir?: string;
  readonly issuer?: string;
  readonly profile: IssueProfile;
  readonly keys: IssuerSettings['keys'];
  readonly algorithm: SigningAlgorithm;
  readonly scope?: readonly string[];
  readonly audience?: readonly string[];
  readonly subject?: readonly string[];
  readonly group?: readonly string[];
}

/** `tokeep issuer init`. */
export async function initIssuer(context: Context, options: InitOptions): Promise<ExitCode> {
  const { world } = context;
  const url = issuerUrl(options.issuer);
  const { directory, deps } = await issuerPlace(context, options.dir);
  const { profile, algorithm } = options;
  const settings = firstSettings(url, options);
  const issuer = await createIssuer(world, directory, { ...settings, algorithm, by: `init ${whoAsks(world)}` }, deps);
  try {
    const [key] = await issuer.keys();
    const kid = key?.kid ?? '';
    if (context.options.json) await context.printJson({ directory, issuer: url, profile, algorithm, kid });
    else await context.print(`made the issuer ${url} in ${directory}, with the key ${kid} (${algorithm})`);
    await sayWhatNext(context, url, directory, options.dir === undefined ? '' : ` --dir ${directory}`);
    return exit.fine;
  } finally {
    await issuer.close();
  }
}

export function issuerUrl(text: string | undefined): IssuerUrl {
  if (text === undefined) {
    throw new Fault('usage', 'the issuer has no name yet: --issuer URL is missing', {
      hint: 'the https URL that tokens name as their issuer, and below which the keys will be published, such as https://tokens.example.org/vo',
    });
  }
  const unfit = unfitIssuer(text);
  if (unfit !== undefined) throw new Fault('usage', `the issuer ${text} ${unfit}`);
  return text as IssuerUrl;
}

/** What issuer.yaml of a new issuer says. */
export function firstSettings(url: IssuerUrl, options: Omit<InitOptions, 'algorithm'>): NewSettings {
  const { profile, keys } = options;
  return { url, profile, keys, policy: firstPolicy(options), store: { kind: 'sqlite' } };
}

const computeScopes = {
  wlcg: ['compute.read', 'compute.modify', 'compute.create', 'compute.cancel'],
  scitokens: ['condor:/READ', 'condor:/WRITE'],
  'at+jwt': ['compute.read', 'compute.modify', 'compute.create', 'compute.cancel'],
} as const satisfies Record<IssueProfile, readonly string[]>;

/**
 * What a new issuer may sign: what the flags say, else tokens to submit jobs with, for one compute entrypoint each. Never
 * everything: no storage without a path that somebody named, no token that all services accept.
 */
function firstPolicy({ profile, scope, audience, subject, group = [] }: Omit<InitOptions, 'algorithm'>): IssuerPolicy {
  const scopes = scope ?? computeScopes[profile];
  const isCompute = (one: string) => /^(compute\.|condor:)/.test(one);
  const usual = [...(scopes.some(isCompute) ? ['*:9619'] : []), ...(scopes.every(isCompute) ? [] : ['https://*'])];
  const { recommended, most } = lifetimeTable.accessToken;
  return {
    scopes,
    audiences: audience ?? usual,
    everyone: false,
    subjects: subject ?? ['*'],
    groups: group,
    claims: [],
    lifetime: { usual: recommended, most },
    suspended: [],
  };
}

async function sayWhatNext({ say, warn }: Context, url: string, directory: string, dir: string): Promise<void> {
  if (url.startsWith('http:'))
    await warn(
      'plain http to loopback is for trying things out: nobody but programs on this machine can fetch its keys',
    );
  if (url.endsWith('/')) {
    await warn(
      `the slash at the end is part of the name: libscitokens will ask for ${url}/.well-known/…, with two slashes`,
    );
    await warn('  most web servers take two for one; `tokeep issuer check` will tell');
  }
  await say(`what may be signed stands in ${settingsFile(directory)}; look at it now`);
  await say('then, in this order:');
  await say(`  tokeep issuer publish${dir} OUTDIR   # the files for the web server`);
  await say(`  tokeep issuer check${dir}            # does ${url} look right from outside?`);
  await say(`  tokeep issuer sign${dir} --subject S --audience A --scope "…"`);
}
