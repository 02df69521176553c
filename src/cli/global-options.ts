/** The options every command takes. One table, read by commander, by completion and by the quick way of `get`. */
export const globalOptionTable = [
  { long: '--config', value: 'FILE', does: 'the configuration (else $TOKEEP_CONFIG, else the usual places)' },
  { long: '--state', value: 'DIR', does: 'the state directory (root: /var/lib/tokeep; else $XDG_STATE_HOME/tokeep)' },
  { long: '--json', value: undefined, does: 'print the result as JSON' },
  { long: '--quiet', value: undefined, does: 'no progress on stderr, only warnings and faults' },
  { long: '--verbose', value: undefined, does: 'say more on stderr' },
  { long: '--no-color', value: undefined, does: 'no colour, also where a terminal shows it' },
] as const;

/** The word of the command line that names the command: the first that is neither an option nor an option's value. */
export function commandWord(args: readonly string[]): { readonly word: string; readonly at: number } | undefined {
  const takesValue = new Set<string>(
    globalOptionTable.filter(({ value }) => value !== undefined).map(({ long }) => long),
  );
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    if (word === '--') return undefined;
    if (takesValue.has(word)) at += 1;
    else if (!word.startsWith('-')) return { word, at };
  }
  return undefined;
}
