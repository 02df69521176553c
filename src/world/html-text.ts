const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text of others as text of a page, also within quotes of an attribute. */
export const htmlText = (plain: string): string =>
  plain.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
