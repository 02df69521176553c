import type { Secret } from '../token/secret.ts';

/** Control characters, and those that turn the direction of text around or hide it (Unicode categories Cc, Cf, Zl, Zp). */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;
const longest = 200;
/** Three parts with dots between, the first of which is the Base64 of `{"`. */
const jwt = /\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*/g;
/** So long, and mixed of letters and digits, that it may well open something; numbers of requests are most often UUIDs. */
const opaque = /[\w~+=-]{32,}/g;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Words of an issuer, made fit for our sentences, logs and terminals: one line, at most 200 characters, nothing that steers a
 * terminal, and without any of the secrets that were sent to it (an error may quote its request), nor what looks like one we do
 * not know (an agent may quote what it keeps).
 */
export function cleanWords(text: string, secrets: readonly Secret[] = []): string {
  let clean = text.replace(unprintable, ' ');
  for (const secret of secrets) clean = withoutSecret(clean, secret);
  clean = clean.replace(jwt, '[token hidden]').replace(opaque, (word) => (looksSecret(word) ? '[hidden]' : word));
  const points = [...clean.trim()];
  return points.length > longest ? `${points.slice(0, longest).join('')}…` : points.join('');
}

const looksSecret = (word: string): boolean => /\d/.test(word) && /[a-z]/i.test(word) && !uuid.test(word);

function withoutSecret(text: string, secret: Secret): string {
  const hidden = secret.reveal();
  if (hidden === '') return text;
  const encoded = new URLSearchParams([['', hidden]]).toString().slice(1);
  return text.replaceAll(hidden, secret.toString()).replaceAll(encoded, secret.toString());
}

/** A foreign value in quotation marks, cleaned; never a secret, which callers see to. */
export function quoted(value: unknown): string {
  return `"${cleanWords(typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof value))}"`;
}
