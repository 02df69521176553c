/** Above these numbers nothing is gained, and what strangers send must not fill the memory. */
const mostEntries = 256;
const longestText = 1024;

/**
 * Remembers what a pure function makes of short texts. Tokens of one issuer share their header, and often their scopes; reading
 * those again costs more than all other claims together.
 */
export function remembered<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = make(text);
    if (text.length > longestText) return made;
    if (known.size >= mostEntries) known.clear();
    known.set(copyOf(text), made);
    return made;
  };
}

/** A slice would keep the whole token alive that it was cut out of. */
const copyOf = (text: string): string => Buffer.from(text).toString();
