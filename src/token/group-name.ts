export type GroupReading =
  | { readonly kind: 'group'; readonly name: string }
  | { readonly kind: 'refused'; readonly why: string };

/**
 * Reads the name of a group: `/` and a name, once or more, where the first one is the collaboration (WLCG profile 1.3, "wlcg.groups").
 * It is all there is to it: nothing is trimmed, and `/cms/uscms` says nothing of `/cms`.
 */
export function readGroup(text: string): GroupReading {
  if (/^(\/[a-zA-Z0-9][a-zA-Z0-9_.-]*)+$/.test(text)) return { kind: 'group', name: text };
  return { kind: 'refused', why: `the group ${JSON.stringify(text)} ${whyNoGroup(text)}` };
}

function whyNoGroup(text: string): string {
  if (text === '') return 'has no name';
  if (/\/(Role|Capability)=/i.test(text)) {
    return 'has a role in the way of VOMS, which WLCG groups do not know; make it a group of its own, such as /cms/pilot, that is given when asked for';
  }
  if (!text.startsWith('/')) return 'does not start with "/"';
  if (text.endsWith('/')) return 'ends with "/"';
  if (text.includes('//')) return 'has "//" in it';
  const odd = /[^a-zA-Z0-9_.\-/]/u.exec(text)?.[0];
  if (odd !== undefined) return `has ${JSON.stringify(odd)} in it; letters, digits, "_", "." and "-" are allowed`;
  return 'has a name in it that does not start with a letter or a digit';
}
