import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { type TrustingService, type TrustSnippet, trustingServices, trustSnippet } from '../issue/trust-snippets.ts';
import type { Context } from './context.ts';

export interface TrustSnippetOptions {
  readonly user: string;
  readonly for?: string;
  readonly subject?: string;
  readonly audience?: string;
  readonly basePath: string;
  readonly scope?: string;
}

/** `tokeep issuer trust URL`: the parts on stdout, in the order in which they are pasted; everything else is a comment. */
export async function printTrust(context: Context, issuer: string, options: TrustSnippetOptions): Promise<ExitCode> {
  const { for: services, ...wish } = options;
  const snippets = servicesOf(services).map((service) => trustSnippet(service, { issuer, ...wish }));
  if (context.options.json) await context.printJson({ issuer, snippets });
  else await context.print(snippets.flatMap(linesOf).join('\n'));
  await context.say(`does the issuer show what services need? tokeep issuer check ${issuer}`);
  return exit.fine;
}

function servicesOf(text: string | undefined): readonly TrustingService[] {
  if (text === undefined) return trustingServices;
  const names = text.split(',').map((name) => name.trim());
  const isKnown = (name: string): name is TrustingService => (trustingServices as readonly string[]).includes(name);
  const unknown = names.find((name) => !isKnown(name));
  if (unknown === undefined) return [...new Set(names.filter(isKnown))];
  throw new Fault('usage', `"${unknown}" is not known here; known are ${trustingServices.join(', ')}`);
}

function linesOf({ parts, tests, notes }: TrustSnippet, index: number): readonly string[] {
  return [
    ...(index === 0 ? [] : ['']),
    ...parts.flatMap(({ file, text }) => [`# --- ${file}`, text.trimEnd()]),
    '# --- then',
    ...tests.map((line) => `#   ${line}`),
    ...notes.map((note) => `# ${note}`),
  ];
}
