import type { Secret } from '../token/secret.ts';

/** Control characters, and those that turn the direction of text around or hide it (Unicode categories Cc, Cf, Zl, Zp). */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;
const longest = 200;

/**
 * Words of an issuer, made fit for our sentences, logs and terminals: one line, at most 200 characters, nothing that steers a
 * terminal, and without any of the secrets that were sent to it (an error may quote its request).
 */
export function cleanWords(text: string, secrets: readonly Secret[] = []): string {
  let clean = text.replace(unprintable, ' ');
  for (const secret of secrets) clean = withoutSecret(clean, secret);
  const points = [...clean.trim()];
  return points.length > longest ? `${points.slice(0, longest).join('')}…` : points.join('');
}

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
