import { strict as assert } from 'node:assert';

/** The claims of an access token, not verified. */
export function claimsOf(token: string | undefined): Readonly<Record<string, unknown>> {
  assert.match(token ?? '', /^[\w-]+\.[\w-]+\.[\w-]+$/, 'a JWT');
  return JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}

/** The claims of the token in the first line of a text, be it JSON of a `.use` file or bare. */
export function claimsIn(text: string): Readonly<Record<string, unknown>> {
  const line = text.trim();
  return claimsOf(line.startsWith('{') ? (JSON.parse(line) as { access_token: string }).access_token : line);
}
