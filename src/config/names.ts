/** Why this cannot be the name of an account or a token, as the rest of a sentence; undefined if it can. */
export function unfitName(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.length > 128) return 'is longer than 128 letters';
  // A name stands in lines of a log, in file names and on command lines.
  if (/[\s\p{Cc}/]/u.test(name)) return 'has a blank, a control character or a "/", which a name cannot have';
  if (name.startsWith('-')) return 'starts with "-", which a command would take for an option';
  return name === '.' || name === '..' ? 'is a directory' : undefined;
}
