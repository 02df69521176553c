import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Does the browser say that the request comes from a page of ours (WEB-02)? `Sec-Fetch-Site` where it sends one: our own pages say
 * `no-referrer`, and then `Origin` is `null`. A browser that sends neither is refused.
 */
export function isSameOrigin(headers: IncomingHttpHeaders, ownOrigin: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  return headers.origin === ownOrigin;
}

/** What a form of ours carries beside the cookie; nobody who does not know both can send one. */
export class FormTokens {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    this.#key = key;
  }

  for(cookie: string): string {
    return createHmac('sha256', this.#key).update(cookie).digest('base64url');
  }

  fits(token: string | undefined, cookie: string | undefined): boolean {
    if (token === undefined || cookie === undefined) return false;
    const [given, expected] = [Buffer.from(token), Buffer.from(this.for(cookie))];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}
