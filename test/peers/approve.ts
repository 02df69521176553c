import { millis } from '../../src/token/time.ts';
import { realHttp } from '../../src/world/real-http.ts';

export interface ApproveOptions {
  readonly caFile?: string;
  readonly login?: string;
}

/**
 * A person with a browser, at the issuer's own pages: starts at a URL (such as `verification_uri_complete`), follows
 * redirects, fills in whatever form comes and sends it off, until a page has no form or leads to another site. Returns where
 * it ended, which for a login by redirect is the callback with its code.
 */
export async function approve(start: string, options: ApproveOptions = {}): Promise<string> {
  const http = realHttp({});
  const cookies = new Map<string, string>();
  const home = new URL(start).origin;
  let url = new URL(start);
  let body: string | undefined;
  try {
    for (let step = 0; step < 20; step += 1) {
      if (url.origin !== home) return url.href;
      const answer = await http.send({
        method: body === undefined ? 'GET' : 'POST',
        url,
        headers: {
          accept: 'text/html',
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(body === undefined ? {} : { body }),
        timeout: millis(10_000),
        maxBytes: 1024 * 1024,
        connection: 'pooled',
        ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
      });
      if (answer.kind === 'no-answer') throw answer.fault;
      remember(cookies, answer.headers['set-cookie']);
      body = undefined;
      const { location } = answer.headers;
      if (location !== undefined) {
        url = new URL(location, url);
        continue;
      }
      const form = /<form[^>]*\saction="([^"]*)"[^>]*>(.*?)<\/form>/s.exec(answer.body);
      if (answer.status >= 400) throw new Error(`the page ${url.pathname} says ${answer.status}: ${answer.body}`);
      if (form?.[1] === undefined) return url.href;
      url = new URL(form[1].replaceAll('&amp;', '&'), url);
      body = filledIn(form[2] ?? '', options.login ?? 'alice');
    }
  } finally {
    await http.close();
  }
  throw new Error(`the pages of ${home} lead nowhere`);
}

function remember(cookies: Map<string, string>, header: string | undefined): void {
  // Several cookies come joined by ", "; the dates in them hold a comma too, but no "name=" before the next ";".
  for (const [, name, value] of (header ?? '').matchAll(/(?:^|, )([^=;, ]+)=([^;]*)/g)) {
    if (name === undefined || value === undefined) continue;
    if (value === '') cookies.delete(name);
    else cookies.set(name, value);
  }
}

function filledIn(form: string, login: string): string {
  const fields = new URLSearchParams();
  for (const [input] of form.matchAll(/<(?:input|button)[^>]*>/g)) {
    const attribute = (name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(input)?.[1];
    const name = attribute('name');
    if (name === undefined || name === 'abort') continue;
    fields.set(name, attribute('value') ?? (name === 'login' ? login : 'any password'));
  }
  return fields.toString();
}
