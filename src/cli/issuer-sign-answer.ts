import { resolve } from 'node:path';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import type { Minted, OpenIssuer } from '../mint/issuer.ts';
import type { JsonValue, MintRequest } from '../mint/policy.ts';
import { timestamp } from '../observe/printable.ts';
import type { Millis } from '../token/time.ts';
import type { Context } from './context.ts';
import { whoAsks, withIssuer } from './issuer-place.ts';
import { readSignTemplate, type SignTemplate } from './issuer-sign-template.ts';
import { tryTokenPlace, writeTokenFile } from './write-token-file.ts';

export interface SignOptions {
  readonly dir?: string;
  readonly subject?: string;
  readonly user?: string;
  readonly audience?: readonly string[];
  readonly everyone?: true;
  readonly scope?: readonly string[];
  readonly group?: readonly string[];
  readonly lifetime?: Millis;
  readonly claim?: readonly string[];
  readonly template?: string;
  readonly output?: string;
}

/** `tokeep issuer sign`: the token and a line end on stdout, or in a file; what is to be said of it on stderr. */
export async function signToken(context: Context, options: SignOptions): Promise<ExitCode> {
  const { world } = context;
  // Before root becomes the owner of the issuer, who may not see the template.
  const template = options.template === undefined ? {} : await readSignTemplate(world, resolve(options.template));
  const by = `sign ${whoAsks(world)}`;
  return await withIssuer(context, options.dir, async (issuer) => {
    const request = await requestOf(issuer, options, template, by);
    const output = options.output === undefined ? undefined : resolve(options.output);
    if (output !== undefined) await tryTokenPlace(world, output, 'access_token');
    const minted = await issuer.mint(request);
    for (const remark of minted.remarks) await context.warn(remark);
    if (output !== undefined) await writeTokenFile(world, output, minted.token);
    // Here a token leaves on purpose: it is what was asked for, and its line in the audit log is on disk.
    if (context.options.json) await context.printJson(factsOf(issuer, request, minted, output));
    else if (output === undefined) await context.print(minted.token.reveal());
    await context.say(`signed for ${request.subject}, good until ${timestamp(minted.expiresAt)}, jti ${minted.jti}`);
    return exit.fine;
  });
}

async function requestOf(
  issuer: OpenIssuer,
  options: SignOptions,
  template: SignTemplate,
  by: string,
): Promise<MintRequest> {
  const lifetime = options.lifetime ?? template.lifetime;
  return {
    ...(await subjectOf(issuer, options.subject ?? template.subject, options.user)),
    ...forWhom(options, template),
    scopes: options.scope ?? template.scope ?? [],
    groups: options.group ?? template.groups ?? [],
    ...(lifetime === undefined ? {} : { lifetime }),
    claims: { ...template.claims, ...claimsOf(options.claim ?? []) },
    by,
    deliveredTo: [options.output === undefined ? 'stdout' : `file:${resolve(options.output)}`],
  };
}

/** Who asks for everyone on the command line does not mean the audiences of the template, and the other way round. */
function forWhom(options: SignOptions, template: SignTemplate): Pick<MintRequest, 'audiences' | 'everyone'> {
  const { audience, everyone = false } = options;
  if (everyone && audience !== undefined) {
    throw new Fault(
      'usage',
      'a token is for the services of --audience, or by --everyone for every one: give one of them',
    );
  }
  if (everyone) return { audiences: [], everyone };
  const audiences = audience ?? template.audience ?? [];
  const forAll = audience === undefined && template.everyone === true;
  if (audiences.length > 0 || forAll) return { audiences, everyone: forAll };
  throw new Fault('usage', 'no audience was named, and no token is signed without one: --audience is missing', {
    hint: 'the name of the service that the token is for, such as https://storage.example.org or ce1.example.org:9619',
  });
}

/** `random` is a name that only this issuer can make of a user, and always the same: nobody else can tell who it is. */
async function subjectOf(
  issuer: OpenIssuer,
  subject: string | undefined,
  user: string | undefined,
): Promise<Pick<MintRequest, 'subject' | 'user'>> {
  if (subject === undefined) {
    throw new Fault('usage', 'the token is about nobody yet: --subject is missing', {
      hint: 'a name that stays for one user or service; --subject random --user NAME makes one that tells nothing',
    });
  }
  if (subject === 'random') {
    if (user !== undefined && user !== '') return { subject: (await issuer.subjectNames()).random(user), user };
    throw new Fault('usage', '--subject random is the same for the same user: --user NAME is missing');
  }
  if (user !== undefined) throw new Fault('usage', '--user goes with --subject random only');
  return { subject };
}

/** `name=JSON`, or a text where it is no JSON: most values are names, and quotes get lost in shells. */
function claimsOf(texts: readonly string[]): Readonly<Record<string, JsonValue>> {
  const claims = texts.map((text): readonly [string, JsonValue] => {
    const at = text.indexOf('=');
    if (at <= 0) throw new Fault('usage', '--claim is not of the form name=value');
    const value = text.slice(at + 1);
    try {
      return [text.slice(0, at), JSON.parse(value) as JsonValue];
    } catch {
      return [text.slice(0, at), value];
    }
  });
  return Object.fromEntries(claims);
}

function factsOf(issuer: OpenIssuer, request: MintRequest, minted: Minted, output: string | undefined): object {
  const { token, jti, kid, issuedAt, expiresAt, scopes, claims, remarks } = minted;
  return {
    ...(output === undefined ? { token: token.reveal() } : { output }),
    issuer: issuer.settings.url,
    subject: request.subject,
    jti,
    kid,
    scopes,
    issued: timestamp(issuedAt),
    expires: timestamp(expiresAt),
    claims,
    remarks,
  };
}
