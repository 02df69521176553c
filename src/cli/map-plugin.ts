import type { Readable } from 'node:stream';
import { type ExitCode, exit } from '../fault/codes.ts';
import { asFault, Fault } from '../fault/fault.ts';
import { printable } from '../observe/printable.ts';
import { mapIdentity } from '../verify/mapping.ts';
import { identityOf } from '../verify/mapping-identity.ts';
import type { Files } from '../world/files.ts';
import { rulesAt } from './map-source.ts';

/** HTCondor asks the next plugin, if there is one; every other code but 0 refuses the client. */
const declined: ExitCode = exit.internal;

const largest = 64 * 1024;

/** What a plugin has, which is little, so that it starts fast. */
export interface PluginPorts {
  readonly files: Files;
  readonly stdin: Readable;
  /** A line on stdout, of which HTCondor takes the first word. */
  print(line: string): Promise<void>;
  /** A line on stderr, which HTCondor logs. */
  say(line: string): Promise<void>;
}

/**
 * Maps a token that HTCondor has verified and whose claims it hands over on standard input. Whatever goes wrong refuses the client:
 * with exit 1 another plugin would be asked, past a rule that denies.
 */
export async function mapAsPlugin(ports: PluginPorts, rulesFile: string | undefined): Promise<ExitCode> {
  try {
    if (rulesFile === undefined) throw new Fault('usage', '--plugin goes with --rules FILE');
    const rules = await rulesAt(ports.files, rulesFile);
    const reading = identityOf(await claimsFrom(ports.stdin));
    if (reading.kind === 'refused') throw new Fault('token-refused', reading.why);
    const mapping = mapIdentity({ kind: 'rules', rules }, reading.identity);
    for (const sentence of [mapping.why, ...reading.remarks]) await ports.say(`tokeep: ${printable(sentence)}`);
    if (mapping.kind === 'refused') return mapping.code === 'unmapped' ? declined : exit.refused;
    await ports.print(mapping.user);
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
