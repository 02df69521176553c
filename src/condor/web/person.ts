import type { RefusalName } from './refusals.ts';
import type { WebSession } from './session-table.ts';
import type { Visit } from './visit.ts';

/** Who sits at the browser, where the site wants to know (TOKEEP_WEB_LOGIN). */
export type Person =
  | { readonly kind: 'not-asked' }
  | { readonly kind: 'known'; readonly name: string }
  /** Has to log in at the site's issuer first. */
  | { readonly kind: 'needed'; readonly at: URL }
  | { readonly kind: 'nobody'; readonly because: RefusalName };

/** The header of a reverse proxy counts if a trusted proxy sent it, and at every request (MED-11). */
export function personOf({ desk, request }: Visit, session: WebSession | undefined): Person {
  const { login } = desk.web;
  switch (login.kind) {
    case 'none':
      return { kind: 'not-asked' };
    case 'closed':
      return { kind: 'nobody', because: 'closed' };
    case 'proxy': {
      const name = request.headers[login.header.toLowerCase()];
      const isBelieved = desk.proxies.has(request.raw.socket.remoteAddress);
      return isBelieved && typeof name === 'string' && name !== ''
        ? { kind: 'known', name }
        : { kind: 'nobody', because: 'no-proxy-user' };
    }
    case 'oidc':
      return session?.person === undefined
        ? { kind: 'needed', at: new URL(login.issuer) }
        : { kind: 'known', name: session.person };
  }
}

/** May this person answer for that user? */
export const isUser = (person: Person, user: string): boolean =>
  person.kind === 'not-asked' || (person.kind === 'known' && person.name === user);
