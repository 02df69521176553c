import { approve } from '../peers/approve.ts';
import type { WebBed } from './web-bed.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly body: string;
  /** Where it leads, without what is in front of every address of ours. */
  readonly location: string;
}

type Headers = Readonly<Record<string, string>>;

/** What a browser of today says of a button on our own page. */
const fromOurPage: Headers = { 'sec-fetch-site': 'same-origin', origin: 'null' };

/** A browser as far as requests go: its cookies, and what it says of where it comes from. */
export class Visitor {
  readonly #bed: WebBed;
  readonly #always: Headers;
  readonly cookies = new Map<string, string>();

  constructor(bed: WebBed, always: Headers = {}) {
    this.#bed = bed;
    this.#always = always;
  }

  get id(): string {
    return this.cookies.get('__Host-tokeep') ?? '';
  }

  async get(url: string, headers: Headers = {}): Promise<Answer> {
    return await this.#ask('GET', url, undefined, headers);
  }

  /** Presses the button of a form on the page: sends its hidden fields to where it leads. */
  async press(page: Answer, action: string | RegExp, headers: Headers = fromOurPage): Promise<Answer> {
    for (const [, target = '', inside = ''] of page.body.matchAll(
      /<form method="post" action="([^"]*)"[^>]*>(.*?)<\/form>/gs,
    )) {
      if (typeof action === 'string' ? target !== action : !action.test(target)) continue;
      const fields = [...inside.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
        name,
        value,
      ]);
      return await this.post(target, Object.fromEntries(fields), headers);
    }
    throw new Error(`no form leads to ${action}:\n${page.body}`);
  }

  async post(url: string, fields: Readonly<Record<string, string>>, headers: Headers = fromOurPage): Promise<Answer> {
    return await this.#ask('POST', url, new URLSearchParams(fields).toString(), headers);
  }

  /** From the link to the list of services. */
  async confirm(link: string): Promise<Answer> {
    const pressed = await this.press(await this.get(link), /\/key\//);
    if (pressed.location !== '/') throw new Error(`confirming led to ${pressed.status} ${pressed.location}`);
    return await this.get(`${this.#bed.prefix}/`);
  }

  /** Presses the button of a service, logs in at the issuer, and says where the issuer sends the browser. */
  async toIssuerAndBack(services: Answer, action: string | RegExp, login: string): Promise<string> {
    const { location } = await this.press(services, action);
    return await approve(location, { login });
  }

  async #ask(method: 'GET' | 'POST', url: string, body: string | undefined, headers: Headers): Promise<Answer> {
    const { pathname, search } = new URL(url, this.#bed.prefix);
    const answer = await this.#bed.app.inject({
      method,
      url: pathname + search,
      headers: {
        ...(this.cookies.size === 0
          ? {}
          : { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...this.#always,
        ...headers,
      },
      ...(body === undefined ? {} : { payload: body }),
    });
    for (const { name, value } of answer.cookies) {
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const to = String(answer.headers['location'] ?? '');
    const { prefix, origin } = this.#bed;
    const location = to.startsWith(prefix)
      ? to.slice(prefix.length)
      : to.startsWith('/')
        ? to.slice(prefix.length - origin.length)
        : to;
    return { status: answer.statusCode, headers: answer.headers, body: answer.body, location };
  }
}
