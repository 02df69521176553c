import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { printable, withoutTokens } from '../observe/printable.ts';
import { explainToken, type TokenExplanation } from '../token/explain.ts';
import type { Context } from './context.ts';
import { tokenAtHand } from './token-at-hand.ts';
import type { TokenOptions } from './token-options.ts';

/** `tokeep inspect`: exit 6 for what is no token, and for a place of discovery that holds something else. */
export async function inspect(context: Context, options: TokenOptions): Promise<ExitCode> {
  const source = await tokenAtHand(context, options, 'inspect');
  const explained = explainToken(source.text, context.world.clock.now());
  if (explained.kind === 'malformed') {
    throw new Fault(
      'token-invalid',
      `${source.from} holds something that looks like a JWT and is none: ${explained.reason}`,
    );
  }
  if (context.options.json) await context.printJson(withoutTokens({ from: source.from, ...explained }));
  else await tell(context, source.from, explained);
  if (!context.options.json) for (const warning of source.warnings) await context.warn(`tokeep: ${printable(warning)}`);
  return exit.fine;
}

type Explained = Exclude<TokenExplanation, { kind: 'malformed' }>;

async function tell(context: Context, from: string, explained: Explained): Promise<void> {
  const names = explained.kind === 'opaque' ? [] : explained.statements.map(({ name }) => name);
  const width = Math.max('from'.length, ...names.map(({ length }) => length));
  await context.print(`${context.paint.dim('from'.padEnd(width))}  ${printable(from)}`);
  if (explained.kind === 'opaque') {
    await context.print(`an opaque token of ${explained.length} characters: only its issuer knows what is in it`);
    return;
  }
  let before = '';
  for (const { name, text } of explained.statements) {
    const label = name === before ? '' : name;
    await context.print(`${context.paint.dim(label.padEnd(width))}  ${printable(text)}`);
    before = name;
  }
  for (const warning of explained.warnings) await context.print(`${context.paint.warn('!')} ${printable(warning)}`);
}
