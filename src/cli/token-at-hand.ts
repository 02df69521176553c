import type { Readable } from 'node:stream';
import { discoverToken } from '../discover/discover-token.ts';
import { readTokenFile } from '../discover/read-token-file.ts';
import { tokenText } from '../discover/token-text.ts';
import { Fault } from '../fault/fault.ts';
import type { Context } from './context.ts';
import { promptsFor } from './prompts.ts';
import { refuseTokenAsFile, type TokenOptions } from './token-options.ts';

/** Above this it is no token (the limit of WLCG discovery here). */
const largest = 16 * 1024;

/** The token a command looks at. */
export interface TokenAtHand {
  readonly text: string;
  /** Where it came from, in words. */
  readonly from: string;
  /** What is odd about that place. */
  readonly warnings: readonly string[];
}

/** Finds the token for `command`, whose name is for the hints. Throws `token-invalid` where there is none, or something else, and `usage` for a file that cannot be read. */
export async function tokenAtHand(context: Context, options: TokenOptions, command: string): Promise<TokenAtHand> {
  const source = await sourceOf(context, options, command);
  const judged = tokenText(source.text);
  if (judged.kind === 'empty') throw new Fault('token-invalid', `there is no token: ${source.from} is empty`);
  if (judged.kind === 'invalid') throw new Fault('token-invalid', `${source.from} holds no token: ${judged.why}`);
  return { ...source, text: judged.text };
}

async function sourceOf(context: Context, options: TokenOptions, command: string): Promise<TokenAtHand> {
  const { stdin } = context.io;
  if (options.tokenFile === '-') return stdin.isTTY ? await ask(context, command) : await fromStdin(stdin);
  if (options.tokenFile !== undefined) return await fromFile(context, options.tokenFile, command);
  // An empty pipe is a command before it that failed, and no reason to look at some other token.
  if (context.io.stdinGiven) return await fromStdin(stdin);
  return (await discovered(context, options)) ?? (await nothingFound(context, command));
}

async function nothingFound(context: Context, command: string): Promise<TokenAtHand> {
  if (context.io.stdin.isTTY) return await ask(context, command);
  throw new Fault('token-invalid', 'no token was given, and none was found where programs look for one', {
    hint: `name it: tokeep ${command} --token-file FILE`,
  });
}

async function fromFile({ world }: Context, path: string, command: string): Promise<TokenAtHand> {
  const content = await readTokenFile(
    { files: world.files, uid: world.user.uid },
    { path, where: path, guarded: false, unreadable: 'usage' },
  ).catch((thrown: unknown) => {
    refuseTokenAsFile(path, command);
    throw thrown;
  });
  if (content === undefined) refuseTokenAsFile(path, command);
  if (content === undefined) throw new Fault('usage', `there is no file ${path}`);
  return { ...content, from: path };
}

async function fromStdin(stdin: Readable): Promise<TokenAtHand> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stdin) {
    parts.push(Buffer.from(part));
    size += part.length;
    if (size > largest) throw new Fault('token-invalid', 'standard input holds no token: it has more than 16 KiB');
  }
  return { text: Buffer.concat(parts).toString('latin1'), from: 'standard input', warnings: [] };
}

async function discovered({ world }: Context, options: TokenOptions): Promise<TokenAtHand | undefined> {
  const { env, files, user } = world;
  const strict = options.strict === true;
  const found = await discoverToken({ env, files, uid: user.uid, strict });
  if (found.kind === 'none') return undefined;
  const from = found.path === undefined ? found.step : `${found.path} (${found.step})`;
  return { text: found.token.reveal(), from, warnings: found.warnings };
}

async function ask(context: Context, command: string): Promise<TokenAtHand> {
  const prompts = await promptsFor(context.io, command);
  const text = await prompts.secret({ message: 'token (it is not shown)', flag: '--token-file' });
  return { text, from: 'what was typed', warnings: [] };
}
