import { type Refused, refusedFor } from './explanation.ts';
import type { XrootdHabits } from './services.ts';

/** How a client hands its token over HTTP to XRootD. */
export type Presentation = 'header' | 'lower-case-scheme' | 'lower-case-header' | 'authz' | 'access_token';

/** Each with what the client writes. */
export const presentations: Readonly<Record<Presentation, string>> = {
  header: 'Authorization: Bearer TOKEN',
  'lower-case-scheme': 'Authorization: bearer TOKEN',
  'lower-case-header': 'authorization: Bearer TOKEN',
  authz: '?authz=Bearer%20TOKEN in the URL',
  access_token: '?access_token=TOKEN in the URL',
};

/** Why XRootD never gets to see the token, so that whoever brings it is nobody. */
export function presentationRefusal(presentation: Presentation, { headerNames }: XrootdHabits): Refused | undefined {
  const unseen = (why: string) =>
    refusedFor('presentation', `XRootD does not find the token: ${why}`, {
      fix: `send it as "${presentations.header}"`,
      turn: 'user',
    });
  switch (presentation) {
    case 'header':
    case 'authz':
      return undefined;
    case 'lower-case-scheme':
      return unseen('the word before it has to be Bearer, with a capital, in all releases');
    case 'lower-case-header':
      if (headerNames === 'without case') return undefined;
      return {
        ...unseen('names of headers are compared with their case before 5.6.3'),
        fix: 'add to the configuration: http.header2cgi authorization authz',
        turn: 'site',
      };
    case 'access_token':
      return unseen('the parameter access_token of RFC 6750 is not looked at');
  }
}
