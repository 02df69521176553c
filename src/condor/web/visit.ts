import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebDesk } from './desk.ts';
import { type Page, sendPage } from './page.ts';
import { refusalPage } from './refusal-page.ts';
import type { RefusalName } from './refusals.ts';
import type { WebSession } from './session-table.ts';

/** `__Host-`: only we can have set it, over https, for this host alone (RFC 6265bis section 4.1.3.2). */
export const cookieName = '__Host-tokeep';

const cookieOptions = { path: '/', httpOnly: true, secure: true, sameSite: 'lax' } as const;

/** One request of a browser, with the session its cookie stands for. */
export class Visit {
  readonly desk: WebDesk;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  #cookie: string | undefined;

  constructor(desk: WebDesk, request: FastifyRequest, reply: FastifyReply) {
    this.desk = desk;
    this.request = request;
    this.reply = reply;
    const cookie = request.cookies[cookieName];
    this.#cookie = cookie !== undefined && /^[\w-]{43}$/.test(cookie) ? cookie : undefined;
  }

  get cookie(): string | undefined {
    return this.#cookie;
  }

  /** The address of the browser, as far as proxies of ours say so. */
  get address(): string {
    const { raw, headers } = this.request;
    return this.desk.proxies.clientAddress(raw.socket.remoteAddress, headers['x-forwarded-for']);
  }

  session(): Promise<WebSession | undefined> {
    return this.desk.sessions.find(this.#cookie);
  }

  /** A token for the forms of a page. A browser without a cookie gets one; it stands for nothing yet. */
  formToken(): string {
    if (this.#cookie === undefined) this.setCookie(this.desk.sessions.newId());
    return this.desk.forms.for(this.#cookie ?? '');
  }

  setCookie(id: string): void {
    this.#cookie = id;
    this.reply.setCookie(cookieName, id, cookieOptions);
  }

  dropCookie(): void {
    this.reply.clearCookie(cookieName, cookieOptions);
  }

  show(page: Page): FastifyReply {
    return sendPage(this.reply, this.desk.base, page);
  }

  refuse(name: RefusalName): FastifyReply {
    const signedIn = name === 'other-user' && this.desk.web.login.kind === 'oidc';
    const leave = signedIn ? { formToken: this.formToken() } : undefined;
    return this.show(refusalPage(name, this.desk.base, this.request.id, leave));
  }

  /** To a page of ours: the browser asks for it with GET, whatever it did before (RFC 9110 section 15.4.4). */
  goTo(path: `/${string}`): FastifyReply {
    return this.reply.redirect(`${this.desk.base}${path}`, 303);
  }

  leave(url: URL): FastifyReply {
    return this.reply.redirect(url.href, 303);
  }
}
