/** The parameters of a request to one of the endpoints. */
export class Form {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** Undefined too if it is there without a value: RFC 6749 section 3.2 has that treated as left out. */
  one(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}

export type FormAnswer =
  | { readonly kind: 'form'; readonly form: Form }
  | { readonly kind: 'refused'; readonly why: string };

/** More than any request has. */
const mostParameters = 200;

/** RFC 8693 section 2.1 and RFC 8707 section 2 let these stand several times; every other parameter only once (RFC 6749 section 3.2). */
const repeatable = new Set(['audience', 'resource']);

/** Reads `application/x-www-form-urlencoded`, strictly: what could mean two things is refused, never guessed. */
export function readForm(text: string): FormAnswer {
  // What a form encoder writes is ASCII; anything else was not encoded, or is not text.
  if (!/^[\x21-\x7e]*$/.test(text)) return refused('the body is not form-encoded');
  const pairs = text.split('&', mostParameters + 1);
  if (pairs.length > mostParameters) return refused('there are too many parameters');
  const values = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = formDecode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : formDecode(pair.slice(equals + 1));
    if (name === undefined || value === undefined) return refused('the body is not form-encoded');
    if (seen.has(name) && !repeatable.has(name)) return refused('a parameter is there twice');
    seen.add(name);
    if (value === '') continue;
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return { kind: 'form', form: new Form(values) };
}

const refused = (why: string): FormAnswer => ({ kind: 'refused', why });

/** RFC 6749 appendix B; undefined for a broken escape or one that is not UTF-8. */
export function formDecode(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
