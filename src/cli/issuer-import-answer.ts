import { createPublicKey } from 'node:crypto';
import { resolve } from 'node:path';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { isSameKey, kidOf, type PublishedKey } from '../issue/site-keys.ts';
import { createIssuer } from '../mint/create-issuer.ts';
import { importKey, refuseUnfitKid } from '../mint/import-key.ts';
import type { OpenIssuer } from '../mint/issuer.ts';
import { jwkOf, readPrivatePem } from '../mint/key-pair.ts';
import { openIssuer } from '../mint/open-issuer.ts';
import { settingsFile } from '../mint/settings.ts';
import type { PublicJwk } from '../mint/signing-key.ts';
import { printable } from '../observe/printable.ts';
import { Secret } from '../token/secret.ts';
import { seconds } from '../token/time.ts';
import type { World } from '../world/world.ts';
import type { Context } from './context.ts';
import { firstSettings, type InitOptions, issuerUrl } from './issuer-init-answer.ts';
import { issuerPlace, whoAsks } from './issuer-place.ts';

export interface ImportOptions extends Omit<InitOptions, 'algorithm'> {
  readonly key: string;
  readonly kid?: string;
  readonly jwks?: string;
  readonly caFile?: string;
  readonly as?: 'next' | 'signing' | 'retired';
}

const largestPem = 64 * 1024;

/** `tokeep issuer import`. */
export async function importForeignKey(context: Context, options: ImportOptions): Promise<ExitCode> {
  const { world } = context;
  const file = resolve(options.key);
  const by = `import ${whoAsks(world)}`;
  // Before root becomes the owner of the issuer, who may not see the file.
  const pem = await readPem(context, file);
  const known = options.jwks === undefined ? undefined : await findKid(world, pem, options.jwks, options.caFile);
  if (options.kid !== undefined && known !== undefined && options.kid !== known) {
    throw new Fault('usage', `the key is published under the kid ${printable(known)}, and --kid says another one`);
  }
  const kid = options.kid ?? known;
  refuseUnfitKid(kid);
  const issuer = await openOrCreate(context, options, by);
  try {
    const key = await importKey(issuer, {
      pem,
      by,
      ...(kid === undefined ? {} : { kid }),
      ...(options.as === undefined ? {} : { state: options.as }),
      ...(known === undefined ? {} : { published: true }),
    });
    const { url } = issuer.settings;
    if (context.options.json) {
      const { algorithm, state, home } = key;
      await context.printJson({ issuer: url, directory: issuer.directory, kid: key.kid, algorithm, state, home });
    } else
      await context.print(`took the key ${key.kid} (${key.algorithm}) into ${issuer.directory}; it is ${key.state}`);
    if (kid === undefined) {
      await context.warn(
        `its kid is its thumbprint; if it is published under another one: --kid KID, or --jwks ${url}/oauth2/certs`,
      );
    }
    await context.say(`${file} is left as it is; remove it once nothing else signs with it`);
    return exit.fine;
  } finally {
    await issuer.close();
  }
}

async function openOrCreate(context: Context, options: ImportOptions, by: string): Promise<OpenIssuer> {
  const { world } = context;
  const { directory, deps } = await issuerPlace(context, options.dir);
  const isThere = (await world.files.look(settingsFile(directory)).catch(() => undefined)) !== undefined;
  if (!isThere && options.issuer !== undefined) {
    const settings = firstSettings(issuerUrl(options.issuer), options);
    const issuer = await createIssuer(world, directory, { ...settings, algorithm: 'none', by }, deps);
    await context.say(
      `made the issuer ${options.issuer} in ${directory}; what it may sign: ${settingsFile(directory)}`,
    );
    return issuer;
  }
  const issuer = await openIssuer(world, directory, deps);
  const { url } = issuer.settings;
  if (options.issuer === undefined || options.issuer === url) return issuer;
  await issuer.close();
  throw new Fault('usage', `the issuer in ${directory} is ${url} and not ${options.issuer}`);
}

async function readPem({ world, warn }: Context, file: string): Promise<Secret<'private_key'>> {
  const text = await world.files.readText(file, largestPem).catch((thrown: NodeJS.ErrnoException) => {
    throw new Fault('signing-key-unusable', `the key ${file} could not be read (${thrown.code ?? 'unknown'})`);
  });
  if (text === undefined) throw new Fault('usage', `there is no key ${file}`);
  const mode = (await world.files.facts(file))?.mode ?? 0;
  if ((mode & 0o077) !== 0) {
    await warn(
      `others can read ${file} (mode 0${mode.toString(8)}); who did can sign tokens. chmod 0600, and rotate soon`,
    );
  }
  // Before anything is made for it.
  readPrivatePem(text);
  return new Secret('private_key', text);
}

/** The kid of a published key set whose key is the other half of ours. */
async function findKid(world: World, pem: Secret<'private_key'>, jwks: string, caFile?: string): Promise<string> {
  const ours = jwkOf(createPublicKey(readPrivatePem(pem.reveal())));
  const keys = keysIn(await fetchText(world, jwks, caFile), jwks);
  const found = keys.find((key) => isSameKey(key, ours as PublicJwk));
  if (found !== undefined && kidOf(found) !== '') return kidOf(found);
  const why = found === undefined ? 'holds no key that is the other half of it' : 'holds it without a kid';
  throw new Fault('usage', `the key set ${jwks} ${why}`, { hint: 'name the kid with --kid KID' });
}

async function fetchText(world: World, from: string, caFile: string | undefined): Promise<string> {
  if (!/^https?:/.test(from)) {
    const text = await world.files.readText(resolve(from), 256 * 1024).catch(() => undefined);
    if (text === undefined) throw new Fault('usage', `the key set ${from} could not be read`);
    return text;
  }
  if (!URL.canParse(from)) throw new Fault('usage', `${from} is not a URL`);
  const answer = await world.http.send({
    method: 'GET',
    url: new URL(from),
    timeout: seconds(15),
    maxBytes: 256 * 1024,
    connection: 'fresh',
    ...(caFile === undefined ? {} : { caFile: resolve(caFile) }),
  });
  if (answer.kind === 'no-answer') throw answer.fault;
  if (answer.status === 200) return answer.body;
  throw new Fault('issuer-nonsense', `the key set ${from} was not had: the server answers ${answer.status}`);
}

function keysIn(text: string, from: string): readonly PublishedKey[] {
  try {
    const { keys } = JSON.parse(text) as { readonly keys?: unknown };
    if (Array.isArray(keys)) return keys.filter((key) => typeof key === 'object' && key !== null) as PublishedKey[];
  } catch {
    // Told below, without the parser's words.
  }
  throw new Fault('usage', `${from} is no key set (RFC 7517)`);
}
