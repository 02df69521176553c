import { CommanderError } from 'commander';
import { Fault } from '../fault/fault.ts';

/**
 * What commander throws, in our words: `help` when a help text was the answer, `helpless` when it was shown because something is
 * missing; else a `usage` fault with the nearest option or command and where to read on. `path` is the command that stopped.
 */
export function usageFault(
  thrown: unknown,
  path: string,
  args: readonly string[],
): 'help' | 'helpless' | Fault | undefined {
  if (!(thrown instanceof CommanderError)) return undefined;
  if (thrown.exitCode === 0) return 'help';
  if (thrown.code === 'commander.help') return 'helpless';
  const sentence = thrown.message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/s, ' (did you mean $1?)')
    .replace(/\. (Expected|Allowed)/, (_, word: string) => `, ${word.toLowerCase()}`)
    // What was given too much may be anything, a token too: only the count is said.
    .replace(/(but got \d+): .*$/s, '$1')
    .replace(/\.$/, '');
  // The option is likely one of the command that is to be run.
  const lacksDashes = path === 'tokeep exec' && thrown.code === 'commander.unknownOption' && !args.includes('--');
  const dashes = lacksDashes ? 'is the -- missing? write: tokeep exec [NAME] -- COMMAND…\n' : '';
  return new Fault('usage', sentence, { hint: `${dashes}see: ${path} --help` });
}
