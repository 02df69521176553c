import type { Readable } from 'node:stream';
import { discoverToken } from '../discover/discover-token.ts';
import { readTokenFile } from '../discover/read-token-file.ts';
import { tokenText } from '../discover/token-text.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { printable } from '../observe/printable.ts';
import { explainToken, type TokenExplanation } from '../token/explain.ts';
import type { Context } from './context.ts';
import { promptsFor } from './prompts.ts';

/** Above this it is no token (the limit of WLCG discovery here). */
const largest = 16 * 1024;

export interface InspectOptions {
  readonly tokenFile?: string;
  readonly strict?: true;
}

interface Source {
  readonly text: string;
  /** Where it came from, in words. */
  readonly from: string;
  readonly warnings: readonly string[];
}

/** `tokeep inspect`: exit 6 for what is no token, and for a place of discovery that holds something else. */
export async function inspect(context: Context, options: InspectOptions): Promise<ExitCode> {
  const source = await sourceOf(context, options);
  const judged = tokenText(source.text);
  if (judged.kind === 'empty') throw new Fault('token-invalid', `there is no token: ${source.from} is empty`);
  if (judged.kind === 'invalid') throw new Fault('token-invalid', `${source.from} holds no token: ${judged.why}`);
  const explained = explainToken(judged.text, context.world.clock.now());
  if (explained.kind === 'malformed') {
    throw new Fault(
      'token-invalid',
      `${source.from} holds something that looks like a JWT and is none: ${explained.reason}`,
    );
  }
  if (context.options.json) await context.printJson({ from: source.from, ...explained });
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

async function sourceOf(context: Context, options: InspectOptions): Promise<Source> {
  const { stdin } = context.io;
  if (options.tokenFile === '-') return stdin.isTTY ? await ask(context) : await fromStdin(stdin);
  if (options.tokenFile !== undefined) return await fromFile(context, options.tokenFile);
  // An empty pipe is a command before it that failed, and no reason to explain some other token.
  if (context.io.stdinGiven) return await fromStdin(stdin);
  return (await discovered(context, options)) ?? (await nothingFound(context));
}

async function nothingFound(context: Context): Promise<Source> {
  if (context.io.stdin.isTTY) return await ask(context);
  throw new Fault('token-invalid', 'no token was given, and none was found where programs look for one', {
    hint: 'name it: tokeep inspect --token-file FILE',
  });
}

async function fromFile({ world }: Context, path: string): Promise<Source> {
  const content = await readTokenFile(
    { files: world.files, uid: world.user.uid },
    { path, where: path, guarded: false },
  );
  if (content === undefined) throw new Fault('usage', `there is no file ${path}`);
  return { ...content, from: path };
}

async function fromStdin(stdin: Readable): Promise<Source> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stdin) {
    parts.push(Buffer.from(part));
    size += part.length;
    if (size > largest) throw new Fault('token-invalid', 'standard input holds no token: it has more than 16 KiB');
  }
  return { text: Buffer.concat(parts).toString('latin1'), from: 'standard input', warnings: [] };
}

async function discovered({ world }: Context, options: InspectOptions): Promise<Source | undefined> {
  const { env, files, user } = world;
  const strict = options.strict === true;
  const found = await discoverToken({ env, files, uid: user.uid, strict });
  if (found.kind === 'none') return undefined;
  const from = found.path === undefined ? found.step : `${found.path} (${found.step})`;
  return { text: found.token.reveal(), from, warnings: found.warnings };
}

async function ask(context: Context): Promise<Source> {
  const prompts = await promptsFor(context.io, 'inspect');
  const text = await prompts.secret({ message: 'token (it is not shown)', flag: '--token-file' });
  return { text, from: 'what was typed', warnings: [] };
}
