import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { printable, withoutTokens } from '../observe/printable.ts';
import { decodeJwt } from '../token/jwt.ts';
import { type Mapping, mapIdentity } from '../verify/mapping.ts';
import { identityOf, type TokenIdentity } from '../verify/mapping-identity.ts';
import type { Context } from './context.ts';
import { mapAsPlugin, type PluginPorts } from './map-plugin.ts';
import { type MapSourceOptions, mapSource } from './map-source.ts';
import type { TokenOptions } from './token-options.ts';
import { type TrustOptions, trustFrom } from './trust-options.ts';

export interface MapOptions extends TokenOptions, TrustOptions, MapSourceOptions {
  readonly principal?: string;
  readonly unverified?: true;
  readonly plugin?: true;
}

type Claims = Readonly<Record<string, unknown>>;

/** `tokeep map`: the user on stdout, the sentence on stderr. Exit 6 for who is nobody here. */
export async function map(context: Context, options: MapOptions): Promise<ExitCode> {
  if (options.plugin) return await mapAsPlugin(pluginPorts(context), options.rules);
  if (options.principal !== undefined) return await mapPrincipal(context, options, options.principal);
  const found = await claimsAtHand(context, options);
  if (typeof found === 'number') return found;
  const { claims, warnings, config } = found;
  const reading = identityOf(claims);
  if (reading.kind === 'refused') throw new Fault('token-refused', reading.why);
  const { source, findings } = await mapSource(context.world, options, { claims, ...(config ? { config } : {}) });
  return await tell(context, mapIdentity(source, reading.identity), [...warnings, ...reading.remarks, ...findings]);
}

function pluginPorts(context: Context): PluginPorts {
  const print = (line: string) => context.print(line);
  const say = (line: string) => context.say(line);
  return { files: context.world.files, stdin: context.io.stdin, print, say };
}

/** A name without a token, as it stands before a mapfile. */
async function mapPrincipal(context: Context, options: MapOptions, principal: string): Promise<ExitCode> {
  const comma = principal.indexOf(',');
  if (comma <= 0 || options.mapfile === undefined) {
    throw new Fault('usage', '--principal takes ISSUER,SUBJECT and goes with --mapfile');
  }
  const [issuer, subject] = [principal.slice(0, comma), principal.slice(comma + 1)];
  const identity: TokenIdentity = { issuer, subject, groups: [], scopes: [], audiences: [] };
  const { source, findings } = await mapSource(context.world, options, { claims: {} });
  return await tell(context, mapIdentity(source, identity), findings);
}

/** Ends with the exit code where the token is refused and its document is told already. */
async function claimsAtHand(context: Context, options: MapOptions) {
  const { tokenAtHand } = await import('./token-at-hand.ts');
  const trust = await trustFrom(context, options);
  const { text, warnings } = await tokenAtHand(context, options, 'map');
  const config = trust.config?.config;
  if (options.unverified) {
    const decoded = decodeJwt(text);
    if (decoded.kind !== 'jwt') throw new Fault('token-invalid', 'the token is no JWT, so that it names nobody');
    const warning = 'nothing was verified: anybody can write such a token';
    return { claims: decoded.claims as Claims, warnings: [...warnings, warning], config };
  }
  const verification = await trust.verify(text);
  if (verification.kind === 'refused') {
    const { faultOf, refusedDocument } = await import('./verify-answer.ts');
    if (context.options.json) {
      await context.printJson({ ...refusedDocument(verification), warnings: [...warnings, ...trust.warnings()] });
      return faultOf(verification).exit;
    }
    for (const warning of warnings) await context.warn(`tokeep: ${printable(warning)}`);
    throw faultOf(verification);
  }
  return { claims: verification.token.claims, warnings: [...warnings, ...trust.warnings()], config };
}

async function tell(context: Context, mapping: Mapping, warnings: readonly string[]): Promise<ExitCode> {
  const mapped = mapping.kind === 'mapped';
  if (context.options.json) {
    const { kind, ...rest } = mapping;
    // The name of the user is what programs read, and stays what it is.
    const user = mapped ? { user: mapping.user } : {};
    await context.printJson({ verdict: kind, ...(withoutTokens({ ...rest, warnings }) as object), ...user });
    return mapped ? exit.fine : exit.refused;
  }
  for (const warning of warnings) await context.warn(`tokeep: ${printable(warning)}`);
  if (mapped) {
    await context.print(mapping.user);
    await context.say(`tokeep: ${printable(mapping.why)}`);
    return exit.fine;
  }
  const { why, hint } = mapping;
  throw new Fault('token-refused', why, hint === undefined ? {} : { hint: printable(hint) });
}
