import type { Readable } from 'node:stream';
import { type ExitCode, exit } from '../fault/codes.ts';
import { asFault, Fault } from '../fault/fault.ts';
import { printable } from '../observe/printable.ts';
import { mapIdentity } from '../verify/mapping.ts';
import { identityOf } from '../verify/mapping-identity.ts';
import type { Context } from './context.ts';
import { type MapSourceOptions, rulesAt } from './map-source.ts';

/** HTCondor asks the next plugin, if there is one; every other code but 0 refuses the client. */
const declined: ExitCode = exit.internal;

const largest = 64 * 1024;

/**
 * `tokeep map --plugin`: HTCondor has verified the token, and hands its claims over on standard input. The first word on stdout is
 * the user. Whatever goes wrong refuses the client: with exit 1 another plugin would be asked, past a rule that denies.
 */
export async function mapAsPlugin(context: Context, options: MapSourceOptions): Promise<ExitCode> {
  try {
    if (options.rules === undefined) throw new Fault('usage', '--plugin goes with --rules FILE');
    const [rules, claims] = await Promise.all([rulesAt(context.world, options.rules), claimsFrom(context.io.stdin)]);
    const reading = identityOf(claims);
    if (reading.kind === 'refused') throw new Fault('token-refused', reading.why);
    const mapping = mapIdentity({ kind: 'rules', rules }, reading.identity);
    const sentence = [mapping.why, ...reading.remarks].map((one) => `tokeep: ${printable(one)}`).join('\n');
    await context.say(sentence);
    if (mapping.kind === 'mapped') await context.print(mapping.user);
    if (mapping.kind === 'refused') return mapping.code === 'unmapped' ? declined : exit.refused;
    return exit.fine;
  } catch (thrown) {
    const fault = asFault(thrown, 'mapping a token for HTCondor');
    if (fault.exit === declined) throw new Fault('token-refused', fault.message, { cause: thrown });
    throw fault;
  }
}

async function claimsFrom(stdin: Readable): Promise<Readonly<Record<string, unknown>>> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stdin) {
    parts.push(Buffer.from(part));
    size += part.length;
    if (size > largest) throw new Fault('token-refused', `the claims of the token have more than ${largest} bytes`);
  }
  const text = Buffer.concat(parts).toString('utf8');
  try {
    const claims: unknown = JSON.parse(text);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims))
      return claims as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new Fault('token-refused', 'what HTCondor handed over on standard input are not the claims of a token');
}
