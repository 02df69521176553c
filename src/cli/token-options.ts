import type { Command } from 'commander';
import { Fault } from '../fault/fault.ts';
import { pathOf } from './command.ts';

/** Where the token is that a command looks at. Never an argument: the command line is seen by all users of the machine and kept in histories. */
export interface TokenOptions {
  readonly tokenFile?: string;
  readonly strict?: true;
}

export const whereTokensComeFrom =
  'from --token-file, else from standard input if it is a pipe or file, else the one that WLCG token discovery finds; on a terminal ' +
  'it is asked for, hidden, if there is none';

export function addTokenOptions(command: Command): Command {
  return command
    .option('--token-file <FILE>', 'the token in this file; - is standard input, or a hidden prompt on a terminal')
    .option('--strict', 'refuse a discovered token whose file others may use, as other clients do');
}

const looksLikeToken = (word: string): boolean => word.length > 40 || word.startsWith('eyJ');

/** For a command that takes no words at all. Does not quote them, since they are likely the token. */
export function refuseWords(words: readonly string[], command: string): void {
  refuseTokens(words, command);
  if (words.length > 0) {
    throw new Fault('usage', `${command} takes no argument, only --token-file FILE`, { hint: otherWays(command) });
  }
}

/** For a command that takes words, of which none may be a token. */
export function refuseTokens(words: readonly string[], command: string): void {
  if (words.some(looksLikeToken)) throw tokenOnCommandLine(otherWays(command));
}

/** A JWT anywhere in the words of a command, also as the value of an option. */
export function refuseJwts(words: readonly string[], command: Command): void {
  if (!words.some((word) => /eyJ[\w-]+\.[\w-]+\.[\w-]*/.test(word))) return;
  const takesFile = command.options.some(({ long }) => long === '--token-file');
  const path = pathOf(command).replace(/^tokeep ?/, '');
  throw tokenOnCommandLine(
    takesFile ? otherWays(path) : 'to look at one, paste it hidden: tokeep inspect --token-file -',
  );
}

/** For what was given as the name of a file and is none. */
export function refuseTokenAsFile(name: string, command: string): void {
  if (!name.includes('/')) refuseTokens([name], command);
}

const tokenOnCommandLine = (hint: string): Fault =>
  new Fault(
    'usage',
    'a token is not taken from the command line: all users of this machine see it there, and the shell keeps it',
    { hint },
  );

const otherWays = (command: string): string =>
  `paste it hidden: tokeep ${command} --token-file -\nor from a file: tokeep ${command} --token-file FILE`;
